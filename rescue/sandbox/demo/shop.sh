#!/bin/sh
# The demo's program: like many, it says nothing of use when it cannot start.
echo "shop 2.4.1 starting"
# shellcheck source=/dev/null  # it is mounted, or not
. /etc/shop/settings.env 2>/dev/null || exit 1
exec httpd -f -p "$PORT"
