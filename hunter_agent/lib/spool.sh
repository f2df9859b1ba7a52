# shellcheck shell=busybox
# The spool's bounds: a cap on each file, and a volume that must not run full unseen.

# 64 KiB are kept for the last words on a full volume.
reserve_space() { # -
    "$bb" dd if=/dev/zero of="$out/.reserve" bs=65536 count=1 2>/dev/null || spool_error=yes
}

# Says why the replay must stop; nothing when it need not.
spool_trouble() { # -
    local name size
    "$bb" stat -c '%s %n' "$out/stdout" "$out"/stderr* "$out/strace.log" | while read -r size name; do
        [ "$size" -lt "$option_cap" ] || echo "${name##*/} reached its cap of $option_cap bytes"
    done
    [ "$spool_error" = no ] && has_room || echo "the spool volume is full"
}

# Free blocks times their size: less than 256 KiB counts as full.
has_room() { # -
    local blocks size
    # shellcheck disable=SC2046 # two numbers
    set -- $("$bb" stat -f -c '%a %S' "$out")
    blocks=$1 size=$2
    [ "$((blocks * size))" -ge 262144 ]
}

# After this, 64 KiB are free again.
release_reserve() { # -
    "$bb" rm -f "$out/.reserve"
    spool_error=no
}
