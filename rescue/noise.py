"""Failing calls that are normal: searches with many places, and files that are optional by design.

Each row says why.  A path that the program's last words name is a suspect all the same.
"""

import re

_ROWS = (
    ("the loader's optional preload and cache", r"^/etc/ld\.so\.|^/etc/ld-musl|^/usr/local/etc/ld"),
    ("the loader searches many folders for a library", r"\.so(\.[\w.]+)?$|/glibc-hwcaps/|/(tls|haswell|x86_64)/"),
    ("locales and translations have many fall-backs", r"/locale|/i18n|/gconv|\.mo$|/nls/|/terminfo|/charset\.alias$"),
    ("name services: nscd, nsswitch and friends", r"nscd|nsswitch|^/etc/(gai\.conf|host\.conf|hosts|resolv\.conf|services|protocols|passwd|group|shadow)$|/nss_|/run/systemd/userdb|/var/lib/sss|^/etc/netgroup"),
    ("time zones fall back to UTC", r"^/etc/(localtime|timezone|adjtime)$|/zoneinfo"),
    ("what the kernel may or may not offer", r"^/(proc|sys)(/|$)|^/dev/(tty|shm|hugepages|kmsg|log|nvidia|urandom|random|console)"),
    ("Python probes for modules and byte code", r"\.py[cdoi]?$|/__pycache__|site-packages|dist-packages|pyvenv\.cfg$|/python\d|python\d*\.?\d*(\.zip|\._pth)$|pybuilddir|\.dist-info|\.egg|/pip\.conf$|\.pth$"),
    ("Node.js probes for modules", r"/node_modules(/|$)|/package\.json$|\.node$|/\.node_libraries|/\.node_modules"),
    ("Java probes for optional files", r"hsperfdata|\.hotspot|/jre/|\.jsa$|java\.security\.|/classes(/|$)|\.java_pid|/jvm\.options"),
    ("Ruby and Perl probe for modules", r"\.(rb|gem|gemspec|pm|pmc|bs|al)$|/perl\d|/ruby/"),
    ("personal settings are optional", r"^(/root|/home/[^/]+|~|/nonexistent)?/\.[\w.-]+|/\.config(/|$)|/\.cache(/|$)|/\.git|\.d$|/etc/(profile|bash|inputrc|environment|motd|issue)"),
    ("TLS and certificates have defaults", r"openssl\.cnf$|/ssl/(ct_log|certs|cert\.pem)|/pki/|/crypto-policies|/gcrypt|/fips"),
    ("memory and malloc tuning is optional", r"malloc\.conf|/jemalloc|transparent_hugepage|/cgroup"),
    ("a clean-up or a first start removes what is not there", r"\.(pid|lock|sock|socket|tmp)$"),
    ("service manager sockets are optional", r"^/run/(systemd|dbus|utmp)|^/var/run/(utmp|nscd|dbus)|/docker\.sock$|^/\.dockerenv|^/run/\.containerenv"),
    ("the tracer and the hunter themselves", r"^/\.rescue"),
)  # fmt: skip

_PATTERN = re.compile("|".join(f"(?:{pattern})" for _, pattern in _ROWS))
_HARMLESS_CALLS = frozenset({"unlink", "unlinkat", "rename", "renameat", "renameat2"})


def is_noise(call: str, errno: str, path: str) -> bool:
    """True when this failing call is expected in healthy programs."""
    if errno == "ENOENT" and call in _HARMLESS_CALLS:
        return True
    return errno in ("ENOENT", "ENOTDIR", "EACCES", "EPERM") and bool(_PATTERN.search(path))
