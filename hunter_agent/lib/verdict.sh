# shellcheck shell=busybox
# How a replay ended: from the trace, or from the exit status where there is no trace. Sets $ended and $facts.

# $reason is set when the hunter itself ended the replay.
judge() { # -
    facts="traced=$traced
"
    [ -z "$main_pid" ] || add_fact "main_pid=$main_pid"
    if is_exec_failure; then
        ended=failed
        judge_exec_failure
    elif [ "$traced" = yes ]; then
        judge_trace
    else
        judge_status
    fi
    [ -z "$reason" ] || ended=$reason
}

add_fact() { # key=value
    facts="$facts$1
"
}

# The last words about the main process: `PID EPOCH +++ exited with 3 +++` or `+++ killed by SIGSEGV (core dumped) +++`.
judge_trace() { # -
    local line signal
    line=$(last_words)
    set_finished "${line%% +++*}"
    case $line in
    *"+++ exited with "*)
        line=${line#*exited with }
        ended=exited && add_fact "exit_code=${line%% *}"
        ;;
    *"+++ killed by "*)
        signal=${line#*killed by }
        judge_signal "${signal%% *}"
        ;;
    *) ended=lost && note "strace ended before the program (status ${status:-unknown}): what became of the program is unknown" ;;
    esac
}

# The trace knows the moment of death better than the hunter, who looks ten times a second.
set_finished() { # pid and time of a trace line, or nothing
    [ -z "$1" ] || finished=${1##* }
}

last_words() { # -
    [ -n "$main_pid" ] || return 0
    "$bb" tail -c 65536 "$out/strace.log" | "$bb" grep -E "^$main_pid +[0-9.]+ [+]{3} (exited|killed)" | "$bb" tail -n 1
}

# strace ends itself with the program's signal, so its status has the number.
judge_signal() { # signal name
    ended=signaled
    add_fact "signal=$1"
    if [ "${status:-0}" -gt 128 ]; then
        add_fact "exit_code=$status"
    else
        add_fact "exit_code=$((128 + $(kill -l "${1#SIG}")))"
    fi
}

# ash names the signal on its stderr: that tells a death by SIGSEGV from an exit with 139.
judge_status() { # -
    if [ -z "$status" ]; then
        ended=lost
        note "the launcher died: what became of the program is unknown"
    elif [ "$status" -gt 128 ] && [ -s "$out/.launch.err" ]; then
        judge_signal "SIG$(kill -l "$((status - 128))")"
    else
        ended=exited
        add_fact "exit_code=$status"
    fi
}

# The program never ran: stderr holds nothing but strace's, or our own, word about it.
is_exec_failure() { # -
    local line
    [ -e "$out/stderr.new" ] || return 1
    read -r line 2>/dev/null <"$out/stderr.new" || return 1
    case $line in
    "$root/"*" exec: "* | "$root/"*"Can't stat"* | "setsid: can't execute "*) failure=$line ;;
    *) return 1 ;;
    esac
}

# The shell's convention: 127 for what is not there, 126 for what cannot be executed.
judge_exec_failure() { # -
    case $failure in
    *"No such file or directory"*) add_fact "exit_code=127" ;;
    *) add_fact "exit_code=126" ;;
    esac
    note "the program did not start: ${failure#"$root/"}"
}
