"""A small DNS server for the names of services and their pods; everything else does not exist."""

import asyncio
import logging
import socket
from dataclasses import dataclass, field
from typing import Any, cast

from dnslib import CNAME, QTYPE, RCODE, RR, A, DNSRecord

from rescue.sandbox.kubelet.endpoints import selected
from rescue.sandbox.store import Object, Store

LOG = logging.getLogger(__name__)
PORT = 53
TTL = 5
# linux/in.h; lets the server wait for the bridge, which podman makes with the first container.
IP_FREEBIND = 15


@dataclass(frozen=True)
class Answer:
    """``exists`` false is NXDOMAIN; an existing name may have no address."""

    exists: bool
    addresses: list[str] = field(default_factory=list)
    alias: str = ""


def lookup(name: str, services: list[Object], pods: list[Object], domain: str) -> Answer:
    """``service.namespace.svc.domain`` or ``host.service.namespace.svc.domain``; pure."""
    labels = name.rstrip(".").lower().removesuffix(f".svc.{domain}").split(".")
    if not name.rstrip(".").lower().endswith(f".svc.{domain}") or len(labels) not in (2, 3):
        return Answer(False)
    *host, service_name, namespace = labels
    for service in services:
        meta = service["metadata"]
        if (meta["name"], meta["namespace"]) == (service_name, namespace):
            return _of_host(service, pods, host[0]) if host else _of_service(service, pods)
    return Answer(False)


def _of_service(service: Object, pods: list[Object]) -> Answer:
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        return Answer(True, alias=spec["externalName"])
    if spec.get("clusterIP", "None") not in ("", "None"):
        return Answer(True, [spec["clusterIP"]])
    addresses = [pod["status"]["podIP"] for pod in selected(service, pods)]
    # CoreDNS: a headless service without ready pods has no name.
    return Answer(bool(addresses), addresses)


def _of_host(service: Object, pods: list[Object], host: str) -> Answer:
    addresses = [
        pod["status"]["podIP"]
        for pod in selected(service, pods)
        if pod["spec"].get("hostname") == host and pod["spec"].get("subdomain") == service["metadata"]["name"]
    ]
    return Answer(bool(addresses), addresses)


def reply(query: bytes, services: list[Object], pods: list[Object], domain: str) -> bytes:
    """The packet that answers ``query``; pure.  A packet that is no query raises dnslib's DNSError."""
    request = DNSRecord.parse(query)
    response = request.reply()
    name = str(request.q.qname)
    answer = lookup(name, services, pods, domain)
    response.header.ra = 1
    if not answer.exists:
        response.header.rcode = RCODE.NXDOMAIN
    elif answer.alias:
        response.add_answer(RR(name, QTYPE.CNAME, rdata=CNAME(answer.alias), ttl=TTL))
    elif request.q.qtype == QTYPE.A:
        for address in answer.addresses:
            response.add_answer(RR(name, QTYPE.A, rdata=A(address), ttl=TTL))
    packed: bytes = response.pack()
    return packed


class _Server(asyncio.DatagramProtocol):
    def __init__(self, store: Store, domain: str) -> None:
        self._store = store
        self._domain = domain
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Before Python 3.12 asyncio's datagram transport is none by its class.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        assert self._transport is not None
        try:
            answer = reply(data, self._store.list("services"), self._store.list("pods"), self._domain)
        except Exception:  # any packet may come from a container; one bad packet must not end the server
            LOG.warning("a DNS packet from %s could not be answered", addr, exc_info=True)
            return
        self._transport.sendto(answer, addr)


async def serve(store: Store, domain: str, address: str) -> asyncio.DatagramTransport | None:
    """Answer on UDP port 53 of ``address``; None, with a warning, where that is not allowed."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        listener.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        listener.bind((address, PORT))
    except OSError as error:
        listener.close()
        LOG.warning("services have no names in this sandbox: %s", error)
        return None
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Server(store, domain), sock=listener)
    return transport
