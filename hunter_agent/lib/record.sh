# shellcheck shell=busybox
# What the hunter writes about a run: hunter.log as it happens, and the end record, which appears in one piece.

# A full volume must not stop the hunter here: watch_spool sees it and says so.
log() { # key=value
    printf '%s %s\n' "$EPOCHREALTIME" "$1" >>"$out/hunter.log" 2>/dev/null || spool_error=yes
}

# A note is for people: it goes to the log at once and to the end record.
note() { # text
    log "note=$1"
    notes="${notes}note=$1
"
}

begin_log() { # -
    printf 'rescue-spool 1\n' >"$out/hunter.log" || die 73 "cannot write in $out"
    log "hunter_pid=$$"
    log "cwd=$PWD"
    log "umask=$container_umask"
    log_identity
}

# Who the program will be: the same user, groups and capabilities as the hunter's.
log_identity() { # -
    local key value rest
    while read -r key value rest; do
        case $key in
        Uid:) log "uid=$value" ;;
        Gid:) log "gid=$value" ;;
        Groups:) log "groups=$value${rest:+ $rest}" ;;
        CapEff:) log "cap_eff=$value" ;;
        NoNewPrivs:) log "no_new_privs=$value" ;;
        Seccomp:) log "seccomp=$value" ;;
        esac
    done </proc/self/status
}

# Written beside its place and renamed: whoever sees it sees all of it.
write_end() { # ended, started, finished, more lines
    {
        printf 'format=rescue-end 1\nended=%s\n' "$1"
        printf 'started=%s\nfinished=%s\n' "$2" "$3"
        printf '%s%s' "$4" "$notes"
    } >"$out/end.tmp" && "$bb" mv "$out/end.tmp" "$out/end"
}
