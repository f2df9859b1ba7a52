# shellcheck shell=busybox
# The keeper's way in: requests, stop, and what there is to know about this node.

check_run() { # run
    case $1 in
    '' | *[!0-9]*) die 64 "a run is a number, not '$1'" ;;
    esac
}

# argv=BYTES: so many bytes of NUL-terminated arguments follow on stdin, a command instead of the container's own.
# A repeated request (the answer to the first was lost) is the same run; another one under its number is refused.
request() { # run, option=value ...
    local folder=$root/spool/$1 option
    shift
    # Open to all: the target's user is not the keeper's.
    "$bb" mkdir -p "$folder/out" || die 73 "cannot write in $root"
    "$bb" chmod 0777 "$folder/out"
    : >"$folder/options.new"
    for option in "$@"; do
        case $option in
        argv=*[!0-9]* | argv= | [!a-z]* | *[!-a-z0-9_.=]*) die 64 "not an option: $option" ;;
        argv=*) take "${option#argv=}" "$folder/argv.new" ;;
        *=*) printf '%s\n' "$option" >>"$folder/options.new" ;;
        *) die 64 "not an option: $option" ;;
        esac
    done
    publish "$folder"
}

publish() { # run folder
    if [ ! -e "$1/request" ]; then
        "$bb" mv "$1/options.new" "$1/options"
        [ ! -e "$1/argv.new" ] || "$bb" mv "$1/argv.new" "$1/argv"
        : >"$1/request"
    elif "$bb" cmp -s "$1/options.new" "$1/options"; then
        "$bb" rm -f "$1/options.new" "$1/argv.new"
    else
        die 73 "run ${1##*/} exists with other options"
    fi
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
