"""What becomes of pods: the course of states of each container, and the events, from the API alone."""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from rescue.sandbox import kubeconfig
from rescue.sandbox.objects import Object
from rescue.sandbox.place import Place

State = tuple[str, str | None, int | None]
_LINE_BYTES = 1 << 20
# aiohttp does not wait for the end of its TLS connections; its documentation asks for this pause.
_TLS_GOODBYE_SECONDS = 0.25


def states(status: Object) -> dict[str, State]:
    """container -> (waiting, running or terminated; reason; exit code)."""
    found = {}
    for group in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(group, []):
            kind, inner = next(iter((container.get("state") or {"waiting": {}}).items()))
            found[container["name"]] = (kind, inner.get("reason"), inner.get("exitCode"))
    return found


@dataclass
class Course:
    """The states that each container of a pod went through, and the pod's own phases and reasons."""

    containers: dict[str, list[State]] = field(default_factory=dict)
    phases: list[tuple[str, str | None]] = field(default_factory=list)

    def add(self, status: Object) -> None:
        """One more status; what did not change since the last one is not repeated."""
        for name, state in states(status).items():
            _append(self.containers.setdefault(name, []), state)
        _append(self.phases, (status.get("phase", ""), status.get("reason")))


def _append(course: list[Any], item: object) -> None:
    if course[-1:] != [item]:
        course.append(item)


def event_of(event: Object) -> tuple[str, str, str]:
    """(reason, type, message without what differs from run to run)."""
    message = event["message"]
    for pattern, text in _VARYING:
        message = pattern.sub(text, message)
    return event["reason"], event["type"], message


_VARYING = [
    (re.compile(pattern), text)
    for pattern, text in (
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UID"),
        (r"\d+\.\d+\.\d+\.\d+", "ADDRESS"),
        # Names that a controller made up.
        (r"\b(shop)-[a-z0-9]+-[a-z0-9]{5}(?=\b|_)", r"\1-X"),
        (r"\b(agent|report)-[a-z0-9]{5}(?=\b|_)", r"\1-X"),
        # Whose resolver it was, and what it answered, depends on the machine.
        (r"(dial tcp: lookup [^ :]+).*", r"\1"),
    )
]


@dataclass
class Recorder:
    """A client of a sandbox that notes every status and event of one namespace."""

    place: Place
    namespace: str
    courses: dict[str, Course] = field(default_factory=dict)
    events: dict[str, set[tuple[str, str, str]]] = field(default_factory=dict)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[aiohttp.ClientSession]:
        """A client with the kubeconfig's token and authority."""
        url, authority = kubeconfig.server_of(self.place.kubeconfig)
        token = json.loads(self.place.kubeconfig.read_text("utf-8"))["users"][0]["user"]["token"]
        async with aiohttp.ClientSession(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            connector=aiohttp.TCPConnector(ssl=ssl.create_default_context(cadata=authority)),
            read_bufsize=_LINE_BYTES,
            timeout=aiohttp.ClientTimeout(total=None),
        ) as client:
            yield client
        await asyncio.sleep(_TLS_GOODBYE_SECONDS)

    async def follow(self, client: aiohttp.ClientSession) -> None:
        """Watch pods and events until cancelled."""
        await asyncio.gather(self._watch(client, "pods", self._pod), self._watch(client, "events", self._event))

    async def _watch(self, client: aiohttp.ClientSession, plural: str, see: Callable[[Object], None]) -> None:
        path = f"/api/v1/namespaces/{self.namespace}/{plural}?watch=1"
        async with client.get(path) as response:
            while line := await response.content.readline():
                see(json.loads(line)["object"])

    def _pod(self, pod: Object) -> None:
        self.courses.setdefault(pod["metadata"]["name"], Course()).add(pod["status"])

    def _event(self, event: Object) -> None:
        if event["involvedObject"]["kind"] == "Pod":
            self.events.setdefault(event["involvedObject"]["name"], set()).add(event_of(event))
