"""Failing calls that are normal: searches with many places, and files that are optional by design.

Each row says why.  A path that the program's last words name is a suspect all the same.
"""

import re

_ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("the loader's optional preload and cache", (r"^/etc/ld\.so\.", r"^/etc/ld-musl", r"^/usr/local/etc/ld")),
    (
        "the loader searches many folders for a library",
        (r"\.so(\.[\w.]+)?$", r"/glibc-hwcaps/", r"/(tls|haswell|x86_64)/"),
    ),
    (
        "locales and translations have many fall-backs",
        (r"/locale", r"/i18n", r"/gconv", r"\.mo$", r"/nls/", r"/terminfo", r"/charset\.alias$"),
    ),
    (
        "name services: nscd, nsswitch and friends",
        (
            r"nscd",
            r"nsswitch",
            r"^/etc/(gai\.conf|host\.conf|hosts|resolv\.conf|services|protocols|passwd|group|shadow|netgroup)$",
            r"/nss_",
            r"/run/systemd/userdb",
            r"/var/lib/sss",
        ),
    ),
    ("time zones fall back to UTC", (r"^/etc/(localtime|timezone|adjtime)$", r"/zoneinfo")),
    (
        "what the kernel may or may not offer",
        (r"^/(proc|sys)(/|$)", r"^/dev/(tty|shm|hugepages|kmsg|log|nvidia|urandom|random|console)"),
    ),
    (
        "Python probes for modules and byte code",
        (
            r"\.py[cdoi]?$",
            r"/__pycache__",
            r"(site|dist)-packages",
            r"pyvenv\.cfg$",
            r"/python\d",
            r"python\d*\.?\d*(\.zip|\._pth)$",
            r"pybuilddir",
            r"\.(dist|egg)-info",
            r"/pip\.conf$",
            r"\.pth$",
        ),
    ),
    (
        "Node.js probes for modules",
        (r"/node_modules(/|$)", r"/package\.json$", r"\.node$", r"/\.node_(libraries|modules)"),
    ),
    (
        "Java probes for optional files",
        (
            r"hsperfdata",
            r"\.hotspot",
            r"/jre/",
            r"\.jsa$",
            r"java\.security\.",
            r"/classes(/|$)",
            r"\.java_pid",
            r"/jvm\.options",
        ),
    ),
    ("Ruby and Perl probe for modules", (r"\.(rb|gem|gemspec|pm|pmc|bs|al)$", r"/perl\d", r"/ruby/")),
    (
        "personal settings, and folders of further settings, are optional",
        (
            r"^(/root|/home/[^/]+|~|/nonexistent)?/\.[\w.-]+",
            r"/\.(config|cache)(/|$)",
            r"/\.git",
            r"\.d$",
            r"^/etc/(profile|bash|inputrc|environment|motd|issue)",
        ),
    ),
    (
        "TLS and certificates have defaults",
        (
            r"openssl\.cnf$",
            r"/ssl/(ct_log|certs|cert\.pem)",
            r"/pki/",
            r"/crypto-policies",
            r"/gcrypt",
            r"/fips",
            r"/selinux/",
        ),
    ),
    ("memory tuning is optional", (r"malloc\.conf", r"/jemalloc", r"transparent_hugepage", r"/cgroup")),
    ("a first start looks for what the last one left", (r"\.(pid|lock|sock|socket|tmp)$",)),
    (
        "sockets of a service manager are optional",
        (r"^/run/(systemd|dbus|utmp)", r"^/var/run/(utmp|nscd|dbus)", r"^/\.dockerenv", r"^/run/\.containerenv"),
    ),
    ("the tracer and the hunter themselves", (r"^/\.rescue",)),
)

_PATTERN = re.compile("|".join(f"(?:{pattern})" for _, patterns in _ROWS for pattern in patterns))
_HARMLESS_CALLS = frozenset({"unlink", "unlinkat", "rename", "renameat", "renameat2"})


def is_noise(call: str, errno: str, path: str) -> bool:
    """True when this failing call is expected in healthy programs."""
    if errno == "ENOENT" and call in _HARMLESS_CALLS:
        return True
    return errno in ("ENOENT", "ENOTDIR", "EACCES", "EPERM") and bool(_PATTERN.search(path))
