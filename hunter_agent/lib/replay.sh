# shellcheck shell=busybox
# One replay: hunter → launcher → strace → program, with the sampler beside it, from the request to the end record.

replay() { # run folder, program and its arguments
    begin_replay "$1"
    shift
    printf '%s\0' "$@" >"$out/argv"
    choose_mode
    start_program
    watch_program
    finish_program
    reveal_stderr
    judge
    end_replay
}

# TERM may come at any moment: everything that its handler reads is set before $run is.
begin_replay() { # run folder
    notes='' leader='' launcher='' sampler='' main_pid='' status='' reason='' failure=''
    spool_error=no termed=no traced=no launched=no kill_at='' started=$EPOCHREALTIME
    find_session
    out=$1/out
    run=$1
    begin_log
    reserve_space
    read_options
    make_files
}

# All files are made here: strace would make its own with the program's umask, unreadable for the keeper under 077.
make_files() { # -
    local name
    for name in stdout stderr.new strace.log strace.err; do
        : >"$out/$name"
    done
    "$bb" mkfifo -m 600 "$out/.stdout" "$out/.stderr"
}

# Options that a newer rescue may send are named, not obeyed.
read_options() { # -
    local key value
    option_trace=yes option_seconds=0 option_interval=0.1 option_cap=268435456
    while IFS='=' read -r key value; do
        case $key:$value in
        trace:yes | trace:no) option_trace=$value ;;
        seconds:* | interval:* | cap:*) set_number "$key" "$value" ;;
        :) ;;
        *) note "unknown option: $key=$value" ;;
        esac
    done <"$run/options"
}

set_number() { # option, value
    case $1:$2 in
    *:*[!0-9.]* | *: | *.*.* | seconds:*.* | cap:*.*) note "option is not a number: $1=$2" ;;
    seconds:*) option_seconds=$2 ;;
    interval:*) option_interval=$2 ;;
    cap:*) option_cap=$2 ;;
    esac
}

# Two setsid: the first makes a session leader, for which the second must fork; so the launcher is left behind
# without `&`, which would start the program with SIGINT and SIGQUIT ignored.
start_program() { # -
    started=$EPOCHREALTIME
    log "traced=$traced"
    launched=yes
    "$bb" setsid "$bb" setsid "$bb" sh "$root/hunter" launch "$run" "$$" "$container_umask" "$mode" \
        </dev/null >/dev/null 2>"$out/.launch.err" 9>&-
    meet_launcher
    sample_memory &
    sampler=$!
}

meet_launcher() { # -
    local looks=0
    until [ -s "$out/.leader" ]; do
        looks=$((looks + 1))
        [ "$looks" -lt 1000 ] || die 70 "the launcher did not start: $("$bb" cat "$out/.launch.err")"
        nap 0.01
    done
    read -r launcher <"$out/.launcher"
    read -r leader <"$out/.leader"
    [ "$traced" = yes ] || main_pid=$leader
    read_uptime
    deadline=$((uptime + option_seconds * 100))
}

# Quick looks at first, for programs that crash at once; ten a second later.
watch_program() { # -
    local looks=0
    until [ -e "$out/.status" ] || main_has_ended; do
        if [ "$looks" -lt 25 ]; then nap 0.02; else nap 0.1; fi
        looks=$((looks + 1))
        [ "$((looks % 10))" -ne 0 ] || check_limits
        check_stop
        is_alive "$launcher" || break
    done
}

# strace waits for children that the program left behind; the replay does not.
main_has_ended() { # -
    [ -n "$main_pid" ] || find_main
    reveal_stderr
    [ -n "$main_pid" ] && [ ! -d "/proc/$main_pid" ]
}

# The main process is named first in the trace's first line.
find_main() { # -
    local pid rest
    # shellcheck disable=SC2034 # only the first field is wanted
    read -r pid rest <"$out/strace.log" || return 0
    case $pid in
    '' | *[!0-9]*) return 0 ;;
    esac
    main_pid=$pid
    log "main_pid=$pid"
}

# stderr gets its name when the program has taken over: until then only strace or we have written to it.
reveal_stderr() { # -
    local first
    [ -e "$out/stderr.new" ] || return 0
    if [ "$traced" = yes ]; then
        read -r first <"$out/strace.log" || return 0
        case $first in
        *" execve("*" = 0") "$bb" mv "$out/stderr.new" "$out/stderr" ;;
        esac
    elif [ -d "/proc/$main_pid" ] && ! [ "/proc/$main_pid/exe" -ef "$bb" ]; then
        "$bb" mv "$out/stderr.new" "$out/stderr"
    fi
}

check_limits() { # -
    local trouble
    [ -z "$reason" ] || return 0
    trouble=$(spool_trouble)
    if [ -n "$trouble" ]; then
        release_reserve
        stop_program stopped "$trouble"
    fi
}

# A request to stop, and the time limit: TERM first, KILL three seconds later.
check_stop() { # -
    read_uptime
    if [ -n "$reason" ]; then
        term_program
        [ "$uptime" -lt "$kill_at" ] || kill_program
    elif [ -e "$run/stop" ]; then
        stop_program stopped "stopped on request"
    elif [ "$option_seconds" -gt 0 ] && [ "$uptime" -ge "$deadline" ]; then
        stop_program timeout "stopped after its time limit of $option_seconds s"
    fi
}

stop_program() { # how it will be said to have ended, why
    reason=$1
    note "$2"
    read_uptime
    kill_at=$((uptime + 300))
    term_program
}

# Once, and to the program's own pid: strace ignores TERM. Right after the start the pid is not known yet.
term_program() { # -
    [ "$termed:$main_pid" != no: ] || return 0
    [ "$termed" = yes ] || kill -TERM "$main_pid" 2>/dev/null || :
    termed=yes
}

# Ends what the program left behind, then waits for the launcher, which empties the pipes.
finish_program() { # -
    local looks=0
    end_leftovers
    while is_alive "$launcher" && [ "$looks" -lt 100 ]; do
        [ "$looks" -ne 50 ] || kill_launched
        nap 0.02
        looks=$((looks + 1))
    done
    finished=$EPOCHREALTIME
    [ -n "$main_pid" ] || find_main
    [ ! -e "$out/.status" ] || read -r status <"$out/.status"
    stop_sampler
    [ "$spool_error" = no ] || check_limits
}

end_leftovers() { # -
    find_program
    [ -z "$found" ] || [ -n "$reason" ] || note "processes left behind by the program were killed:$found"
    kill_program
}

# strace or a copier that does not end although every process of the program has.
kill_launched() { # -
    # shellcheck disable=SC2046 # a list of pids; one that has just ended is no error
    kill -KILL "$leader" $("$bb" cat "$out/.copiers") 2>/dev/null || :
    note "strace or a copy of the output did not end by itself and was killed"
}

# More than once: a signal that meets the sampler while it starts is lost.
stop_sampler() { # -
    local round=0
    while is_alive "$sampler" && [ "$round" -lt 100 ]; do
        kill -TERM "$sampler" 2>/dev/null || :
        nap 0.02
        round=$((round + 1))
    done
    kill -KILL "$sampler" 2>/dev/null || :
    wait "$sampler" || :
}

end_replay() { # -
    name_stderr
    release_reserve
    log "ended=$ended"
    write_end "$ended" "$started" "$finished" "$facts" || echo "rescue: cannot write the end record in $out" >&2
    "$bb" rm -f "$out"/.stdout "$out"/.stderr "$out"/.status "$out"/.launcher "$out"/.leader "$out"/.copiers "$out"/.launch.err
    reap
}

# Without a program whatever was written was strace's word.
name_stderr() { # -
    [ -e "$out/stderr.new" ] || return 0
    if [ "$ended" = failed ]; then
        "$bb" cat "$out/stderr.new" >>"$out/strace.err"
        "$bb" rm "$out/stderr.new"
        : >"$out/stderr"
    else
        "$bb" mv "$out/stderr.new" "$out/stderr"
    fi
}

# The hunter itself is being ended in the middle of a replay.
abandon() { # why
    note "$1"
    [ "$launched" = no ] || end_everything
    facts="traced=$traced
${main_pid:+main_pid=$main_pid
}"
    reason=stopped ended=stopped finished=$EPOCHREALTIME
    [ -z "$sampler" ] || stop_sampler
    end_replay
}

# In this order strace sees its tracees die; the second round is for what the launcher was just about to start.
end_everything() { # -
    [ -n "$leader" ] || meet_launcher
    kill_program
    # shellcheck disable=SC2046 # a list of pids; one that has just ended is no error
    kill -KILL "$launcher" "$leader" $("$bb" cat "$out/.copiers") 2>/dev/null || :
    kill_program
}

# A run that an earlier hunter began: the container died under it (OOM kill of the group, eviction, a node's end).
close_lost() { # run folder
    local stamp text
    run=$1 out=$1/out
    notes='' facts='' ended=lost started=$EPOCHREALTIME finished=$EPOCHREALTIME
    while read -r stamp text; do
        case $text in
        traced=*) started=$stamp facts="$facts$text
" ;;
        main_pid=*) facts="$facts$text
" ;;
        esac
    done <"$out/hunter.log"
    note "the container died during the replay: its status says why"
    end_replay
}
