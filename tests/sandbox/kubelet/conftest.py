"""A kubelet on real containers, with an image made of this machine's busybox."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from rescue.sandbox.kubelet import ClusterInfo, Kubelet, Podman
from rescue.sandbox.kubelet.podman import GLOBAL
from rescue.sandbox.store import Store
from tests.sandbox.kubelet.pods import IMAGE, NODE

SANDBOX = f"kubelet-test-{os.getpid()}"


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image with nothing but busybox."""
    folder = tmp_path_factory.mktemp("image")
    busybox = shutil.which("busybox")
    assert busybox is not None, "the container tests need busybox: apt-get install busybox-static"
    for name in ("bin", "etc", "tmp", "root"):
        (folder / name).mkdir()
    shutil.copy(busybox, folder / "bin" / "busybox")
    applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    for applet in set(applets) - {"busybox"}:
        (folder / "bin" / applet).symlink_to("busybox")
    (folder / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (folder / "etc" / "group").write_text("root:x:0:\n")
    archive = folder.with_suffix(".tar")
    subprocess.run(["tar", "-C", str(folder), "-cf", str(archive), "."], check=True)
    command = [*GLOBAL, "import", "-c", "ENV PATH=/bin", "-c", 'CMD ["sh"]', str(archive), IMAGE]
    subprocess.run(command, check=True, capture_output=True)
    yield IMAGE
    subprocess.run([*GLOBAL, "rmi", "--force", IMAGE], check=True, capture_output=True)


@pytest.fixture
def store() -> Store:
    """An empty cluster."""
    return Store()


@pytest.fixture
async def kubelet(store: Store, tmp_path: Path, image: str) -> AsyncIterator[Kubelet]:  # noqa: ARG001 (must be there)
    """A started kubelet; everything that it makes is gone afterwards."""
    info = ClusterInfo(lambda namespace, account: f"token-of-{namespace}-{account}")
    made = Kubelet(store, Podman(SANDBOX), NODE, tmp_path, info)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()
