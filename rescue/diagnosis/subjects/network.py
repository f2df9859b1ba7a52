"""Facts about connections, names and ports, with the Service or Pod behind each address."""

import re
from collections.abc import Iterator

from rescue.diagnosis import addresses, strace
from rescue.diagnosis.facts import Subject, Value, prefixed
from rescue.diagnosis.output import UNRESOLVED, Line
from rescue.diagnosis.recording import Recording
from rescue.diagnosis.strace import Address, Call
from rescue.diagnosis.suspects import Suspect, evidence
from rescue.model import Evidence

_DNS = 53
_ENDPOINT = re.compile(
    r"(?<![\w.])(?P<host>\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:]+\]|[A-Za-z][\w-]*(?:\.[\w-]+)*)[:/](?P<port>\d{2,5})(?!\d|\.\d|:\d)"
)
_PARTS = re.compile(
    r"(?:host|server|at|to) \"?(?P<host>[A-Za-z0-9][\w.-]*)\"?(?: \([\d.]+\))?,? "
    r"(?:and accepting .*)?(?:on )?port (?P<port>\d+)"
)
_CONNECT = ("ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH")
_HOST = r"['\"]?(?P<host>[A-Za-z0-9_][\w.-]*\w|\w)['\"]?"

_QUOTED_HOST = r"['\"](?P<host>[A-Za-z0-9_][\w.-]*\w|\w)(?::\d+)?['\"]"

# How resolvers and runtimes say that a name has no address; the first that fits a line wins.
_UNRESOLVED = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        rf"lookup {_HOST}(?: on \S+)?: (?:no such host|server misbehaving|i/o timeout|temporary failure|no answer)",
        rf"(?:ENOTFOUND|EAI_AGAIN|EAI_NODATA|EAI_NONAME) {_HOST}",
        rf"UnknownHostException: {_HOST}",
        rf"translate host name {_HOST} to address",
        rf"host not found in (?:upstream|resolver|proxy_pass)? *\"?{_HOST}",
        r"(?:can ?not|can't|could not|couldn't|unable to|failed to) resolve "
        rf"(?:the )?(?:host ?name|host|proxy|address|name|server|upstream)s?:? *{_HOST}",
        rf"failed to resolve {_QUOTED_HOST}",
        rf"unknown (?:mysql server )?host:? {_HOST}",
        rf"bad address {_QUOTED_HOST}",
        rf"can't resolve {_QUOTED_HOST}",
        rf"(?:at |to |host )?{_HOST}(?::\d+)?: (?:name or service not known|temporary failure in name resolution"
        r"|name does not resolve|nodename nor servname|no address associated|unknown host|no such host)",
        UNRESOLVED.pattern,
    )
)  # fmt: skip


def subjects(recording: Recording, suspects: list[Suspect]) -> list[Subject]:
    """Blocking connections from the trace, others from the program's words; names; ports."""
    calls = [s for s in suspects if s.kind == "connection" and not _is_dns(s.address)]
    return [
        *(_connection(recording, s) for s in calls),
        *_told(recording, {s.call.errno for s in calls if s.dying}),
        *_names(recording),
        *(_bind(recording, s) for s in suspects if s.kind == "bind"),
        *_bind_told(recording, {s.call.errno for s in suspects if s.kind == "bind"}),
        *(_identity(recording, s) for s in suspects if s.kind == "identity"),
    ]


def _is_dns(address: Address | None) -> bool:
    return address is None or address.port == _DNS


def _connection(recording: Recording, suspect: Suspect) -> Subject:
    address = suspect.address or Address("", 0, suspect.path)
    own = prefixed("connection", errno=suspect.call.errno, count=suspect.count, support=suspect.support)
    return _subject(recording, address, own, evidence(recording.trace, suspect))


def _subject(recording: Recording, address: Address, own: dict[str, Value], proof: tuple[Evidence, ...]) -> Subject:
    inputs = recording.inputs
    peer = addresses.peer(address.host, address.port, inputs.objects, inputs.pod)
    values = own | prefixed(
        "connection",
        peer=address_text(address),
        host=address.host,
        port=address.port,
        path=address.path,
        target=peer.description,
        problem=peer.problem,
    )
    found = [Evidence("objects.json", f"{peer.description}. {peer.problem}".strip())] if peer.description else []
    return Subject("connection", values, (*proof, *found))


def address_text(address: Address) -> str:
    """``10.0.0.1:80``, ``[::1]:80`` or a path."""
    if address.path:
        return address.path
    host = f"[{address.host}]" if ":" in address.host else address.host
    if address.port and not host:
        return f"port {address.port}"
    return f"{host}:{address.port}" if address.port else host or "an address that the program does not name"


def _told(recording: Recording, seen: set[str]) -> Iterator[Subject]:
    """Non-blocking connections: the error comes later, so only the words tell it."""
    for errno, line in _refusals(recording):
        if errno in seen:
            continue
        said = _endpoint(line.text)
        call = _attempt(recording, said)
        address = said or (strace.address(call) if call else None)
        own = prefixed("connection", errno=errno, count=1, support=_support(recording, line))
        proof = (line.evidence(), *([_line(recording, call)] if call else []))
        yield _subject(recording, address or Address("", 0, ""), own, proof)


def _refusals(recording: Recording) -> list[tuple[str, Line]]:
    """One line for each error of a connection: the last that names an address, else the last."""
    best: dict[str, Line] = {}
    for errno, line in recording.output.errors():
        if errno in _CONNECT and (errno not in best or _endpoint(line.text) or not _endpoint(best[errno].text)):
            best[errno] = line
    return list(best.items())


def _support(recording: Recording, line: Line) -> str:
    if not recording.failed:
        return "none"
    near = line in recording.output.last or any(line in r.lines and r.lines_after < 6 for r in recording.exceptions)
    return "named" if near else "mentioned"


def _endpoint(text: str) -> Address | None:
    """The last address with a port in a line: dial errors put the peer after the local address."""
    found = list(_ENDPOINT.finditer(text)) or list(_PARTS.finditer(text))
    return Address(found[-1]["host"].strip("[]"), int(found[-1]["port"]), "") if found else None


def _attempt(recording: Recording, said: Address | None) -> Call | None:
    """The connect call behind a spoken error: same port, else the last that was not for DNS."""
    calls = [c for c in recording.trace.connects if c.errno == "EINPROGRESS" and not _is_dns(strace.address(c))]
    same = [c for c in calls if said and (a := strace.address(c)) and a.port == said.port]
    return next(reversed(same or ([] if said else calls)), None)


def _line(recording: Recording, call: Call) -> Evidence:
    trace = recording.trace
    return Evidence(f"strace.log:{trace.line_number(call.offset)}", trace.line(call.offset)[:600])


def _names(recording: Recording) -> Iterator[Subject]:
    """The last name that did not resolve; one that is said beats one that is not."""
    found = [(line, host) for line in recording.output.tail if (host := _unresolved(line.text)) is not None]
    named = [(line, host) for line, host in found if host]
    for line, host in (named or found)[-1:]:
        server = next((c for c in reversed(recording.trace.connects) if _asks_dns(c)), None)
        address = strace.address(server) if server else None
        objects = recording.inputs.objects
        values = prefixed(
            "name",
            host=host,
            server=address.host if address else "",
            similar=addresses.similar_service(host, objects) if host else "",
            is_service=bool(host) and addresses.has_service(host, objects),
            support=_support(recording, line),
        )
        yield Subject("name", values, (line.evidence(), *([_line(recording, server)] if server else [])))


def _unresolved(text: str) -> str | None:
    """The name in a line that says that it did not resolve; empty when only the error is said."""
    found = [m.groupdict().get("host") or "" for pattern in _UNRESOLVED if (m := pattern.search(text))]
    return next((host for host in found if not host.isdecimal()), None)


def _asks_dns(call: Call) -> bool:
    address = strace.address(call)
    return address is not None and address.port == _DNS


def _bind(recording: Recording, suspect: Suspect) -> Subject:
    address = suspect.address or Address("", 0, suspect.path)
    user = recording.trace.process(suspect.call.pid).uid or recording.container.user
    values = _bind_facts(recording, address, suspect.call.errno, suspect.support) | prefixed("bind", user=user)
    return Subject("bind", values, evidence(recording.trace, suspect))


def _bind_told(recording: Recording, seen: set[str]) -> Iterator[Subject]:
    told = [line for errno, line in recording.output.errors() if errno == "EADDRINUSE"]
    if told and "EADDRINUSE" not in seen:
        port = re.search(r"\bport:? (\d+)", told[-1].text, re.I)
        address = _endpoint(told[-1].text) or Address("", int(port[1]) if port else 0, "")
        support = "mentioned" if recording.failed else "none"
        values = _bind_facts(recording, address, "EADDRINUSE", support)
        yield Subject("bind", values, (told[-1].evidence(),))


def _bind_facts(recording: Recording, address: Address, errno: str, support: str) -> dict[str, Value]:
    original = [
        line
        for line in recording.output.original
        if re.search(r"bind|listen|\b80\b|permission denied", line.text, re.I)
    ]
    return prefixed(
        "bind",
        port=address.port,
        address=address_text(address),
        errno=errno,
        support=support,
        holder=_holder(recording, address.port),
        original_said=any(re.search(r"permission denied|EACCES", line.text, re.I) for line in original),
        user=recording.container.user,
    )


def _holder(recording: Recording, port: int) -> str:
    spec = recording.container.pod.get("spec", {})
    others = [c for c in spec.get("containers") or [] if c.get("name") != recording.container.name]
    names = [c["name"] for c in others for p in c.get("ports") or [] if p.get("containerPort") == port]
    return f"Container {names[0]} of the same pod declares this port." if names else ""


def _identity(recording: Recording, suspect: Suspect) -> Subject:
    user = recording.trace.process(suspect.call.pid).uid or recording.container.user
    values = prefixed("identity", call=suspect.call.name, support=suspect.support, user=user)
    return Subject("identity", values, evidence(recording.trace, suspect))
