"""The process behind ``rescue sandbox up``: API server, controllers and kubelet on one loop."""

import asyncio
import contextlib
import logging
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from aiohttp import web

from rescue.sandbox import bootstrap, controllers, kubeconfig, machine, pki
from rescue.sandbox.access.identity import Tokens
from rescue.sandbox.api.server import application
from rescue.sandbox.kubelet import ClusterInfo, Kubelet, Podman
from rescue.sandbox.place import Place
from rescue.sandbox.storage.provisioner import Provisioner
from rescue.sandbox.store import Store
from rescue.sandbox.strategies import SERVICE_NETWORK

_log = logging.getLogger(__name__)
_SHUTDOWN_SECONDS = 1.0


async def serve(place: Place) -> None:
    """Run the sandbox until SIGTERM or SIGINT, then remove all that it made; RescueError, PodmanError."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with _running(place):
        _log.info("serving")
        await stop.wait()
        _log.info("stopping")


@contextlib.asynccontextmanager
async def _running(place: Place) -> AsyncIterator[None]:
    certificates, token, store = pki.make(), secrets.token_urlsafe(32), Store()
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    url = f"https://127.0.0.1:{port}"
    bootstrap.fill(store, certificates.authority, port)
    podman = Podman(place.name)
    place.node.mkdir(mode=0o700, exist_ok=True)
    version = (await podman.call("version", "--format", "{{.Client.Version}}")).strip()
    store.create("nodes", machine.node(place.node, version))
    info = ClusterInfo(Tokens(store, token).issue, str(SERVICE_NETWORK))
    kubelet = Kubelet(store, podman, machine.NAME, place.node, info)
    runner = web.AppRunner(application(store, kubelet, token), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(kubelet.stop)
        await kubelet.start()
        for service in (controllers.run(store), Provisioner(store, kubelet.disks).run()):
            work = asyncio.create_task(service)
            stack.callback(work.cancel)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listener, ssl_context=certificates.server_context(place.folder)).start()
        kubeconfig.write(place.kubeconfig, kubeconfig.build(place.name, url, certificates.authority, token))
        yield


def main(name: str, folder: str, fork: Callable[[], int]) -> None:
    """Entry of the daemon: the parent notes the child's pid and returns; the child's log goes to stderr."""
    place = Place(name, Path(folder))
    pid = fork()
    if pid:
        place.pid.write_text(f"{pid}\n")
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    asyncio.run(serve(place))
