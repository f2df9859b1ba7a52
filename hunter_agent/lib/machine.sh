# shellcheck shell=busybox
# What the hunter and the keeper need to know of the machine.

# The first mapping's KernelPageSize, in kB (proc_pid_smaps(5)); sh has no sysconf.
read_page_size() { # -
    local key value unit
    page_size=4096
    # shellcheck disable=SC2034 # the unit is always kB
    while read -r key value unit; do
        [ "$key" = KernelPageSize: ] || continue
        page_size=$((value * 1024))
        return
    done 2>/dev/null </proc/self/smaps || :
}
