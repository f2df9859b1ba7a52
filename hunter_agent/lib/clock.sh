# shellcheck shell=busybox
# Time without forks: a sleep costs one poll, the wall clock is $EPOCHREALTIME, durations come from /proc/uptime.

# Opens file descriptor 9: a fifo that nobody writes to, so that `read -t` on it is a sleep.
# The hunter and the keeper are PID 1 of two containers, and begin at the same moment on the same volume.
open_clock() { # -
    local fifo=$root/.nap.${0##*/}.$$
    "$bb" rm -f "$fifo"
    "$bb" mkfifo -m 600 "$fifo" || die 73 "cannot write in $root"
    exec 9<>"$fifo"
    "$bb" rm -f "$fifo"
}

# A trapped signal ends it early.
nap() { # seconds, with a fraction
    local nothing
    # shellcheck disable=SC2034 # the value is never there: only the time-out is wanted
    read -r -t "$1" nothing <&9 || :
}

# Sets $uptime, in hundredths of a second; steps of the wall clock do not touch it.
read_uptime() { # -
    local rest
    # shellcheck disable=SC2034 # the idle time behind the first field is of no use here
    read -r uptime rest </proc/uptime
    uptime=${uptime%.*}${uptime#*.}
}

# As PID 1 the hunter inherits orphans; ash collects dead children only while it waits for one.
reap() { # -
    (:)
}

naps=0
reap_sometimes() { # -
    naps=$(((naps + 1) % 50))
    [ "$naps" -ne 0 ] || reap
}
