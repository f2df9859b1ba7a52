# shellcheck shell=busybox
# The sampler: the cgroup's memory and that of every process of the program, to memory.tsv. Builtins only: no fork.

# Runs until TERM, then takes one last sample: the counter of OOM kills is read after the program's death.
sample_memory() { # -
    local sampling=yes tick=0
    trap 'sampling=no' TERM
    trap '' INT
    start_samples
    while [ "$sampling" = yes ]; do
        tick=$(((tick + 1) % 10))
        sample
        nap "$option_interval"
        [ "$tick" -ne 0 ] || is_alive "$$" || abandon_program
    done
    tick=0
    sample
}

start_samples() { # -
    find_cgroup
    read_limit
    read_page_size
    exec 8>"$out/memory.tsv"
    printf 'rescue-memory 1\tpage_size=%s\tcgroup=%s\tlimit=%s\n' "$page_size" "$cgroup" "$limit" >&8
    peak=0 oom_kills=0 program_pids=" " other_pids=" "
}

# One write for all rows, so that a reader never sees half of a sample.
sample() { # -
    rows=
    stamp=$EPOCHREALTIME
    [ "$cgroup" = none ] || sample_cgroup
    # A process may end while it is looked at: that is no error.
    sample_processes 2>/dev/null
    [ -z "$rows" ] || printf '%s' "$rows" >&8 2>/dev/null || :
}

sample_cgroup() { # -
    local current key value
    read -r current 2>/dev/null <"$cgroup_dir/$current_file" || return 0
    # memory.peak is younger than cgroup v2 (Linux 5.19): without it the highest sample stands in.
    read -r peak 2>/dev/null <"$cgroup_dir/$peak_file" || [ "$current" -le "$peak" ] || peak=$current
    while read -r key value; do
        [ "$key" != oom_kill ] || oom_kills=$value
    done 2>/dev/null <"$cgroup_dir/$events_file" || :
    rows="$stamp	cgroup	$current	$peak	$oom_kills
"
}

# Whether a pid is the program's is asked once: the answer is kept as long as the pid lives.
sample_processes() { # -
    local folder pid mine=" " others=" "
    for folder in /proc/[0-9]*; do
        pid=${folder##*/}
        case $program_pids:$other_pids in
        *" $pid "*:*) mine="$mine$pid " && sample_process "$pid" ;;
        *:*" $pid "*) others="$others$pid " ;;
        *) if is_program "$pid"; then mine="$mine$pid "; sample_process "$pid"; else others="$others$pid "; fi ;;
        esac
    done
    program_pids=$mine other_pids=$others
}

# A row when the size has changed, and every tenth time in any case.
sample_process() { # pid
    local size pages comm=
    # ash reads byte by byte: not one byte more than the second field.
    # shellcheck disable=SC2034 # only the second field is wanted
    { read -r -d ' ' size && read -r -d ' ' pages; } <"/proc/$1/statm" || return 0
    [ "$pages" -ne 0 ] || return 0
    if [ "$tick" -ne 0 ] && eval "[ \"\${pages_$1-}\" = $pages ]"; then return; fi
    eval "pages_$1=$pages"
    read -r comm <"/proc/$1/comm" || :
    rows="$rows$stamp	proc	$1	$((pages * page_size))	$comm
"
}

# The hunter was killed: the program must not outlive it unseen.
abandon_program() { # -
    notes=
    kill_program
    exit 70
}
