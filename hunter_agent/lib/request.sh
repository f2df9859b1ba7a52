# shellcheck shell=busybox
# The keeper's way in: requests, stop, and what there is to know about this node.

check_run() { # run
    case $1 in
    '' | *[!0-9]*) die 64 "a run is a number, not '$1'" ;;
    esac
}

# The options, then the NUL-terminated argv, on stdin. A repeated request (the answer to the first was lost) is the
# same run; a different one under the same number is refused.
request() { # run, bytes of the options, bytes of the argv
    local folder=$root/spool/$1
    "$bb" mkdir -p "$folder/out" || die 73 "cannot write in $root"
    "$bb" chmod 0777 "$folder/out"
    take "$2" "$folder/options.new"
    take "$3" "$folder/argv.new"
    if [ -e "$folder/request" ]; then
        "$bb" cmp -s "$folder/argv.new" "$folder/argv" || die 73 "run $1 exists with another command"
    else
        "$bb" mv "$folder/options.new" "$folder/options"
        "$bb" mv "$folder/argv.new" "$folder/argv"
        : >"$folder/request"
    fi
    "$bb" rm -f "$folder/options.new" "$folder/argv.new"
}

# Exactly so many bytes of stdin: one read too many would wait for ever.
take() { # bytes, file
    : >"$2"
    [ "$1" -gt 0 ] || return 0
    "$bb" dd of="$2" bs="$1" count=1 iflag=fullblock 2>/dev/null || die 74 "cannot write $2"
    [ "$("$bb" stat -c %s "$2")" -eq "$1" ] || die 74 "stdin ended before $1 bytes"
}

stop() { # run
    [ -d "$root/spool/$1" ] || die 66 "there is no run $1"
    : >"$root/spool/$1/stop"
}

# key=value lines: the machine as uname says it, and the spool volume's room in bytes.
info() { # -
    local size
    printf 'format=rescue-info 1\nmachine=%s\nkernel=%s\n' "$("$bb" uname -m)" "$("$bb" uname -r)"
    read_page_size
    printf 'page_size=%s\n' "$page_size"
    # shellcheck disable=SC2046 # three numbers
    set -- $("$bb" stat -f -c '%S %a %b' "$root")
    size=$1
    printf 'spool_free=%s\nspool_total=%s\n' "$((size * $2))" "$((size * $3))"
}
