# shellcheck shell=busybox
# Where this container's memory cgroup is mounted: v1 or v2, with or without a cgroup namespace.

# Sets $cgroup: v1, v2 or none, $cgroup_dir, and the names of its files.
find_cgroup() { # -
    local number controllers path unified=
    cgroup=none cgroup_dir=
    while IFS=: read -r number controllers path; do
        case $number:,$controllers, in
        *,memory,*) use_cgroup v1 cgroup memory "$path" && return ;;
        0:,,) unified=$path ;;
        esac
    done 2>/dev/null <"$sysroot/proc/self/cgroup" || :
    [ -z "$unified" ] || use_cgroup v2 cgroup2 '' "$unified" || :
}

# Inside a container the mount may show the container's own folder (its root is the path), or the whole tree.
use_cgroup() { # version, file system type, mount option, path
    local mount_root='' mount_point='' folder path=${4%/}
    find_mount "$2" "$3" || return
    name_files "$1"
    for folder in "${path#"$mount_root"}" "$path" ""; do
        folder=$sysroot$mount_point${folder:+/${folder#/}}
        if [ -r "$folder/$current_file" ]; then
            cgroup=$1 cgroup_dir=$folder
            return
        fi
    done
    return 1
}

name_files() { # version
    case $1 in
    v1)
        current_file=memory.usage_in_bytes peak_file=memory.max_usage_in_bytes
        events_file=memory.oom_control limit_file=memory.limit_in_bytes
        ;;
    v2)
        current_file=memory.current peak_file=memory.peak
        events_file=memory.events limit_file=memory.max
        ;;
    esac
}

# Sets $mount_root and $mount_point (proc_pid_mountinfo(5): fields 4 and 5; type and super options come after ` - `).
find_mount() { # file system type, super option or nothing
    local id parent device rest
    # shellcheck disable=SC2034 # fields that only take up their place
    while read -r id parent device mount_root mount_point rest; do
        case $rest in
        *" - $1 "*) ;;
        *) continue ;;
        esac
        case ,${rest##* }, in
        *",$2,"*) break ;;
        *) [ -n "$2" ] || break ;;
        esac
    done 2>/dev/null <"$sysroot/proc/self/mountinfo"
    [ "$mount_root" != / ] || mount_root=
    [ -n "$mount_point" ]
}

# Sets $limit in bytes; 0 means none. cgroup v1 says so with a number close to 2^63, v2 with the word max.
read_limit() { # -
    limit=0
    [ "$cgroup" = none ] || read -r limit 2>/dev/null <"$cgroup_dir/$limit_file" || limit=0
    case $limit in
    max | ????????????????*) limit=0 ;;
    esac
}
