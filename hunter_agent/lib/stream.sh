# shellcheck shell=busybox
# The keeper's way out: the files of one run as frames, from any offset, until the end record is there and all is sent.
#   D name offset length   followed by that many raw bytes
#   H uptime               a heartbeat, every two seconds
#   E                      the end: nothing will follow

stream() { # run, name=offset ...
    out=$root/spool/$1/out beat=0
    [ -d "$out" ] || die 66 "there is no run $1"
    shift
    check_offsets "$@"
    open_clock
    take_over
    follow "$@"
    echo E
}

# Until a round that began after the end record had appeared finds nothing new.
follow() { # name=offset ...
    local ended=no
    while :; do
        [ ! -e "$out/end" ] || ended=yes
        send_news "$@"
        # shellcheck disable=SC2086 # names and numbers without blanks
        set -- $offsets
        heartbeat
        [ "$ended:$sent" != yes:no ] || break
        is_current || die 75 "a newer stream has taken over"
        [ "$more" = yes ] || nap 0.1
    done
}

check_offsets() { # name=offset ...
    local pair
    for pair in "$@"; do
        case $pair in
        *[!a-z0-9.=_-]* | *=*=* | =* | *= | *=*[!0-9]*) die 64 "not a name and an offset: $pair" ;;
        *=*) ;;
        *) die 64 "not a name and an offset: $pair" ;;
        esac
    done
}

# One round: at most one chunk of each file, so that none starves the others. Sets $sent, $offsets, and $more: yes
# when a file has more than a chunk of news.
send_news() { # name=offset ...
    local pair name size offset sizes
    sent=no more=no offsets=
    find_sizes "$@"
    for pair in "$@"; do
        name=${pair%=*} offset=${pair#*=} size=0
        case $sizes in
        *" $name="*) size=${sizes#*" $name="} && size=${size%% *} ;;
        esac
        [ "$size" -le "$offset" ] || send_chunk "$name" "$((size - offset))"
        offsets="$offsets $name=$offset"
    done
}

# Sets $sizes to " name=bytes name=bytes ", with one fork for all files.
find_sizes() { # name=offset ...
    local pair names=
    sizes=
    for pair in "$@"; do
        [ ! -s "$out/${pair%=*}" ] || names="$names ${pair%=*}"
    done
    # shellcheck disable=SC2086 # names without blanks
    [ -z "$names" ] || sizes=$(cd "$out" && "$bb" stat -c ' %n=%s ' $names)
}

# The file only grows, so it still has at least the announced bytes.
send_chunk() { # name, bytes that are new
    local length=$2
    if [ "$length" -gt "$chunk" ]; then length=$chunk more=yes; fi
    echo "D $1 $offset $length"
    "$bb" dd if="$out/$1" bs=65536 iflag=skip_bytes,count_bytes skip="$offset" count="$length" 2>/dev/null ||
        die 74 "cannot read or send $1"
    offset=$((offset + length))
    sent=yes
}

heartbeat() { # -
    read_uptime
    [ "$uptime" -ge "$((beat + 200))" ] || return 0
    beat=$uptime
    echo "H ${uptime%??}.${uptime#"${uptime%??}"}"
}

# A dropped connection leaves its stream behind: the newest one owns the run. On a full volume nobody can say so.
take_over() { # -
    token=$$.$EPOCHREALTIME
    echo "$token" 2>/dev/null >"${out%/out}/stream" || token=
}

is_current() { # -
    local owner
    [ -n "$token" ] || return 0
    read -r owner 2>/dev/null <"${out%/out}/stream" && [ "$owner" = "$token" ]
}
