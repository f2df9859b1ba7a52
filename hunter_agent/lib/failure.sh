# shellcheck shell=busybox
# Our own failures: 64 usage, 66 no such run, 70 internal, 73 cannot create, 74 cannot read or write, 75 superseded.

die() { # exit status, what happened
    printf 'rescue: %s\n' "$2" >&2
    exit "$1"
}
