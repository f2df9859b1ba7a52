"""PodSecurity admission: the levels ``baseline`` and ``restricted`` of a namespace's enforce label.

Checks and words: k8s.io/pod-security-admission/policy.  A check gives what it finds wrong, or "".
"""

from collections.abc import Callable, Iterable

from rescue.sandbox.objects import Object
from rescue.sandbox.status import forbidden
from rescue.sandbox.store import Store

_LABEL = "pod-security.kubernetes.io/enforce"
_BASELINE_CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
_RESTRICTED_VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
_SECCOMP_OK = ("RuntimeDefault", "Localhost")


def review(store: Store, pod: Object) -> None:
    """ApiError 403 with every violated check of the namespace's level."""
    labels = store.get("namespaces", "", pod["metadata"]["namespace"])["metadata"].get("labels", {})
    level = labels.get(_LABEL, "privileged")
    version = labels.get(f"{_LABEL}-version", "latest")
    found = [text for check in _LEVELS.get(level, ()) if (text := check(pod["spec"]))]
    if found:
        why = f'violates PodSecurity "{level}:{version}": {", ".join(found)}'
        raise forbidden("pods", pod["metadata"].get("name", ""), why)


def _containers(spec: Object) -> list[Object]:
    groups = ("initContainers", "containers", "ephemeralContainers")
    return [container for group in groups for container in spec.get(group, [])]


def _context(container: Object) -> Object:
    found: Object = container.get("securityContext") or {}
    return found


def _plural(word: str, names: Iterable[str]) -> str:
    quoted = [f'"{name}"' for name in names]
    return f"{word}{'s' if len(quoted) > 1 else ''} {', '.join(quoted)}"


def _of_containers(title: str, spec: Object, bad: Callable[[Object], bool], must: str) -> str:
    names = [container["name"] for container in _containers(spec) if bad(_context(container))]
    return f"{title} ({_plural('container', names)} must {must})" if names else ""


def _host_namespaces(spec: Object) -> str:
    found = [f"{name}=true" for name in ("hostNetwork", "hostPID", "hostIPC") if spec.get(name)]
    return f"host namespaces ({', '.join(found)})" if found else ""


def _privileged(spec: Object) -> str:
    return _of_containers(
        "privileged",
        spec,
        lambda context: bool(context.get("privileged")),
        "not set securityContext.privileged=true",
    )


def _added(container: Object, allowed: frozenset[str]) -> list[str]:
    added = _context(container).get("capabilities", {}).get("add", [])
    return [name for name in added if name not in allowed]


def _must_not_add(spec: Object, allowed: frozenset[str]) -> list[str]:
    return [
        f'container "{c["name"]}" must not include {", ".join(_quoted(extra))} in securityContext.capabilities.add'
        for c in _containers(spec)
        if (extra := _added(c, allowed))
    ]


def _quoted(names: list[str]) -> list[str]:
    return [f'"{name}"' for name in names]


def _baseline_capabilities(spec: Object) -> str:
    found = _must_not_add(spec, _BASELINE_CAPABILITIES)
    return f"non-default capabilities ({'; '.join(found)})" if found else ""


def _host_paths(spec: Object) -> str:
    names = [volume["name"] for volume in spec.get("volumes", []) if "hostPath" in volume]
    return f"hostPath volumes ({_plural('volume', names)})" if names else ""


def _host_ports(spec: Object) -> str:
    bad = [c["name"] for c in _containers(spec) if any(port.get("hostPort") for port in c.get("ports", []))]
    ports = [str(p["hostPort"]) for c in _containers(spec) for p in c.get("ports", []) if p.get("hostPort")]
    uses = f"{_plural('container', bad)} uses hostPort{'s' if len(ports) > 1 else ''} {', '.join(ports)}"
    return f"hostPort ({uses})" if bad else ""


def _escalation(spec: Object) -> str:
    return _of_containers(
        "allowPrivilegeEscalation != false",
        spec,
        lambda context: context.get("allowPrivilegeEscalation") is not False,
        "set securityContext.allowPrivilegeEscalation=false",
    )


def _restricted_capabilities(spec: Object) -> str:
    keeping = [c["name"] for c in _containers(spec) if "ALL" not in _context(c).get("capabilities", {}).get("drop", [])]
    found = []
    if keeping:
        found.append(f'{_plural("container", keeping)} must set securityContext.capabilities.drop=["ALL"]')
    found += _must_not_add(spec, frozenset({"NET_BIND_SERVICE"}))
    return f"unrestricted capabilities ({'; '.join(found)})" if found else ""


def _restricted_volumes(spec: Object) -> str:
    bad = [
        (volume["name"], kind)
        for volume in spec.get("volumes", [])
        for kind in volume
        if kind != "name" and kind not in _RESTRICTED_VOLUMES
    ]
    if not bad:
        return ""
    kinds = _plural("volume type", sorted({kind for _, kind in bad}))
    return f"restricted volume types ({_plural('volume', [name for name, _ in bad])} uses restricted {kinds})"


def _non_root(spec: Object) -> str:
    pod_wide = (spec.get("securityContext") or {}).get("runAsNonRoot")
    bad = [c["name"] for c in _containers(spec) if not _context(c).get("runAsNonRoot", pod_wide)]
    if not bad:
        return ""
    return f"runAsNonRoot != true (pod or {_plural('container', bad)} must set securityContext.runAsNonRoot=true)"


def _root_user(spec: Object) -> str:
    if (spec.get("securityContext") or {}).get("runAsUser") == 0:
        return "runAsUser=0 (pod must not set runAsUser=0)"
    return _of_containers("runAsUser=0", spec, lambda context: context.get("runAsUser") == 0, "not set runAsUser=0")


def _seccomp(spec: Object) -> str:
    pod_wide = (spec.get("securityContext") or {}).get("seccompProfile", {}).get("type")
    bad = [
        c["name"]
        for c in _containers(spec)
        if _context(c).get("seccompProfile", {}).get("type", pod_wide) not in _SECCOMP_OK
    ]
    if not bad:
        return ""
    must = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return f"seccompProfile (pod or {_plural('container', bad)} {must})"


_BASELINE = (_host_namespaces, _privileged, _baseline_capabilities, _host_paths, _host_ports)
_RESTRICTED = (
    _host_namespaces,
    _privileged,
    _host_ports,
    _escalation,
    _restricted_capabilities,
    _restricted_volumes,
    _non_root,
    _root_user,
    _seccomp,
)
_LEVELS = {"baseline": _BASELINE, "restricted": _RESTRICTED}
