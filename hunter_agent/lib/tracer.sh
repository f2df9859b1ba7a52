# shellcheck shell=busybox
# strace: where it lies, what it traces, whether it may run here, and what its refusals mean.

# Calls that explain a crash, and (the last line) those that every new thread or process makes at birth: under
# --seccomp-bpf a task runs at full cost until its first traced call. `?`: not every architecture has every call.
process_calls='?execve,?execveat,?exit,?exit_group,?kill,?tgkill,?tkill,?fork,?vfork,?clone,?clone3,?wait4,?waitid'
file_calls='?open,?openat,?openat2,?creat,?access,?faccessat,?faccessat2,?chdir,?mkdir,?mkdirat,?unlink,?unlinkat,?rename,?renameat,?renameat2,?chmod,?fchmodat,?chown,?fchownat'
network_calls='?socket,?connect,?bind,?listen'
identity_calls='?setuid,?setgid,?setgroups,?setresuid,?setresgid,?setreuid,?setregid,?capset,?prctl,?mount,?umount2,?unshare,?setns,?chroot,?pivot_root,?prlimit64,?setrlimit,?ptrace,?bpf,?keyctl'
birth_calls='?set_robust_list,?rseq,?sigaltstack,?gettid,?rt_sigprocmask,?set_tid_address'
trace_set=$process_calls,$file_calls,$network_calls,$identity_calls,$birth_calls

# Becomes strace in a session of its own. A dynamic strace is called through the loader that came with it: the
# image may have no loader, or another libc.
become_strace() { # strace's arguments
    local home=$root/strace.d
    if [ -e "$home/ld.so" ]; then
        set -- "$home/ld.so" --library-path "$home" "$home/strace" "$@"
    else
        set -- "$home/strace" "$@"
    fi
    become "$bb" setsid "$@"
}

# Sets $traced: yes or no, and $mode: bpf, plain (every call of the program stops it) or none.
choose_mode() { # -
    local why
    why=$(untraceable)
    traced=yes
    if [ -n "$why" ]; then
        give_up_tracing "$why"
    elif try_strace bpf; then
        mode=bpf
    elif try_strace plain; then
        mode=plain
        note "traced without --seccomp-bpf, which is refused here: the program runs many times slower"
    else
        give_up_tracing "$(refusal)"
    fi
}

give_up_tracing() { # why
    traced=no mode=none
    note "not traced: $1"
}

# Says why strace need not even be tried; nothing when it may be.
untraceable() { # -
    if [ "$option_trace" = no ]; then
        echo "the request said so"
    elif [ ! -e "$root/strace.d/strace" ]; then
        "$bb" sed -n 's/^note=//p' "$root/toolkit" 2>/dev/null | "$bb" grep . || echo "no strace in the toolkit"
    fi
}

# Traces a program that does nothing; what strace says about it is kept in strace.err.
try_strace() { # mode
    # shellcheck disable=SC2046 # one flag or none
    (become_strace -f $(bpf_flag "$1") -e "trace=$trace_set" -o /dev/null -- "$bb" true) \
        </dev/null >/dev/null 2>>"$out/strace.err" 9>&-
}

bpf_flag() { # mode
    [ "$1" != bpf ] || echo --seccomp-bpf
}

# The plain reason behind strace's refusal.
refusal() { # -
    local scope=0
    [ ! -r /proc/sys/kernel/yama/ptrace_scope ] || read -r scope </proc/sys/kernel/yama/ptrace_scope
    case $scope:$("$bb" cat "$out/strace.err") in
    [23]:*) echo "ptrace is forbidden on this node (kernel.yama.ptrace_scope=$scope)" ;;
    *"PTRACE_TRACEME: Operation not permitted"*) echo "ptrace is refused (EPERM) by a seccomp profile or a security module" ;;
    *"PTRACE_TRACEME: Function not implemented"*) echo "ptrace is not available (ENOSYS): a seccomp profile or a sandboxed kernel" ;;
    *"Bad system call"*) echo "a seccomp profile kills whoever calls ptrace" ;;
    *"xec format error"*) echo "the toolkit's strace is for another architecture than this node's" ;;
    *) echo "strace failed its self-test, see strace.err" ;;
    esac
}
