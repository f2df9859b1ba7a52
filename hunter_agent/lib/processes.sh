# shellcheck shell=busybox
# Which processes belong to the program, and how they are ended.
# $leader leads the session of the replay: it is strace, or the program itself when it runs untraced.

# True for strace's tracees, for the members of the replay's session, and, where the hunter is PID 1 and so
# inherits every orphan of this container, for orphans that left the session (a daemon).
is_program() { # pid
    local key value rest orphan=no
    [ "$1:$traced" != "$leader:yes" ] || return 1
    # shellcheck disable=SC2034 # only the second word of a line is wanted
    while read -r key value rest; do
        case $key:$value in
        State::Z | State::X) return 1 ;;
        PPid::1) [ "$$" -ne 1 ] || orphan=yes ;;
        TracerPid::"$leader" | NSsid::"$leader") return 0 ;;
        NSsid::"$session" | NSsid::"$launcher") return 1 ;;
        NSsid:*) [ "$orphan" = yes ] && return ;;
        esac
    done 2>/dev/null <"/proc/$1/status"
    return 1
}

# A zombie is dead, though its parent may be slow to notice.
is_alive() { # pid
    local key value rest
    # shellcheck disable=SC2034 # only the second word of a line is wanted
    while read -r key value rest; do
        case $key:$value in
        State::Z | State::X) return 1 ;;
        State:*) return 0 ;;
        esac
    done 2>/dev/null <"/proc/$1/status"
    return 1
}

# The hunter's session and the launcher's are told apart from the program's.
find_session() { # -
    local key value rest
    session=none
    # shellcheck disable=SC2034 # only the second word of a line is wanted
    while read -r key value rest; do
        [ "$key" != NSsid: ] || session=$value
    done </proc/self/status
}

# Sets $found to the program's living processes.
find_program() { # -
    local folder
    found=
    [ -n "$leader" ] || return 0
    for folder in /proc/[0-9]*; do
        if is_program "${folder##*/}"; then found="$found ${folder##*/}"; fi
    done
}

# Kills until none is left: a process may fork while it is being killed.
kill_program() { # -
    local round=0
    find_program
    while [ -n "$found" ] && [ "$round" -lt 100 ]; do
        # shellcheck disable=SC2086 # a list of pids; one that has just ended is no error
        kill -KILL $found 2>/dev/null || :
        round=$((round + 1))
        nap 0.02
        find_program
    done
    [ -z "$found" ] || note "could not kill the program's processes:$found"
}
