# shellcheck shell=busybox
# Starts the program as the container runtime would: same arguments, environment, directory, umask and signals;
# stdin empty, stdout and stderr pipes. Pipes, because a program may open /dev/stderr again: that would truncate a file.

# The launcher: a session of its own between the hunter and the replay. It copies the pipes to the spool, waits for
# strace or the program, and leaves the exit status in `.status`.
launch() { # run folder, pid that has the container's environment, umask, mode
    local status=0
    out=$1/out
    own_pid >"$out/.launcher"
    exec 5<>"$out/.stdout" 6<>"$out/.stderr"
    copy_pipe .stdout stdout
    copy_pipe .stderr stderr.new
    (own_pid >"$out/.leader" && become_program "$@") \
        </dev/null >"$out/.stdout" 2>"$out/.stderr" 5>&- 6>&- 9>&- || status=$?
    printf '%s\n' "$status" >"$out/.status.tmp" && "$bb" mv "$out/.status.tmp" "$out/.status"
    exec 5>&- 6>&-
    wait
}

# The launcher holds each pipe open both ways: if its copier dies (a full volume) the program blocks instead of dying.
copy_pipe() { # pipe, file
    "$bb" cat <"$out/$1" >"$out/$2" 5>&- 6>&- 9>&- &
    echo "$!" >>"$out/.copiers"
}

# $$ names the parent in a subshell.
own_pid() { # -
    local pid rest
    # shellcheck disable=SC2034 # only the first field is wanted
    read -r pid rest </proc/self/stat
    echo "$pid"
}

# From here on names begin with rescue_: the container's own variables come back into this shell.
become_program() { # run folder, pid that has the container's environment, umask, mode
    rescue_environ=/proc/$2/environ rescue_umask=$3
    [ -r "$rescue_environ" ] || rescue_environ=/proc/self/environ
    case $4 in
    none) read_words "$(argv_file "$1")" become_untraced ;;
    *) traced_mode=$4 && read_words "$(argv_file "$1")" become_traced ;;
    esac
}

# A request may bring a command of its own.
argv_file() { # run folder
    if [ -e "$1/argv" ]; then echo "$1/argv"; else echo "$1/out/argv"; fi
}

# strace looks a bare name up in PATH as runc does, and keeps it as argv[0].
become_traced() { # program and its arguments
    set -- -- "$@"
    while IFS= read -r -d '' rescue_entry; do
        shell_carries "${rescue_entry%%=*}" || set -- -E "$rescue_entry" "$@"
    done <"$rescue_environ"
    # shellcheck disable=SC2046 # one flag or none
    become_strace -f $(bpf_flag "$traced_mode") -ttt -yy -s 512 -e "trace=$trace_set" -o "$out/strace.log" "$@"
}

become_untraced() { # program and its arguments
    local path
    path=$(find_command "$1") || refuse_exec 127 "$1: No such file or directory"
    [ ! -e "$path" ] || [ -x "$path" ] || refuse_exec 126 "$1: Permission denied"
    is_executable_format "$path" || refuse_exec 126 "$1: Exec format error"
    shift
    set -- "$bb" setsid "$path" "$@"
    while IFS= read -r -d '' rescue_entry; do
        shell_carries "${rescue_entry%%=*}" || set -- "$rescue_entry" "$@"
    done <"$rescue_environ"
    become "$bb" env -- "$@"
}

# Calls a function with the words of a NUL-terminated list; nothing in them is ever read as shell.
read_words() { # file, function
    local list=$1 function=$2
    set --
    while IFS= read -r -d '' rescue_word; do
        set -- "$@" "$rescue_word"
    done <"$list"
    "$function" "$@"
}

# Puts the container's environment and umask back, then execs.
become() { # command and its arguments
    unset SHLVL PWD OLDPWD PATH
    while IFS= read -r -d '' rescue_entry; do
        if shell_carries "${rescue_entry%%=*}"; then
            export "${rescue_entry?}"
        else
            case $rescue_entry in
            LD_*=* | GLIBC_TUNABLES=*) unset "${rescue_entry%%=*}" ;;
            esac
        fi
    done <"${rescue_environ:=/proc/$$/environ}"
    umask "${rescue_umask:-$container_umask}"
    exec "$@"
}

# False for names that sh drops or changes, and for those that would change strace instead of the program: these
# travel as arguments (strace -E, env), not through this shell.
shell_carries() { # name of a variable
    case $1 in
    '' | [!A-Za-z_]* | *[!A-Za-z0-9_]*) return 1 ;;
    LD_* | GLIBC_TUNABLES | IFS | OPTIND | PPID | RANDOM | LINENO | SECONDS | EPOCH* | rescue_*) return 1 ;;
    esac
}

# The first executable file of that name in PATH, as the container runtime looks it up.
find_command() { # argv[0]
    local IFS=: folder
    case $1 in
    */*) printf '%s' "$1" && return ;;
    esac
    set -f
    for folder in $PATH; do
        [ -f "$folder/$1" ] && [ -x "$folder/$1" ] && printf '%s' "$folder/$1" && return
    done
    return 1
}

# ash would run a file that the kernel refuses (ENOEXEC) as a shell script: the kernel's rule is asked first.
is_executable_format() { # path
    [ -r "$1" ] && [ -f "$1" ] || return 0
    case $("$bb" od -An -v -tx1 -N4 "$1") in
    " 23 21"*) return 0 ;;
    " 7f 45 4c 46") [ "$(machine_of "$1")" = "$(machine_of "$bb")" ] ;;
    *) return 1 ;;
    esac
}

machine_of() { # ELF file
    "$bb" od -An -v -tx1 -j18 -N2 "$1"
}

refuse_exec() { # exit status, what the kernel would say
    printf '%s/hunter: exec: %s\n' "$root" "$2" >&2
    exit "$1"
}
