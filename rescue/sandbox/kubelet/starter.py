"""Starting a container as the kubelet does: image, configuration, create, start, postStart; with its events."""

import asyncio
import shutil
import time
from typing import Any

from rescue.sandbox.kubelet.backoff import MAX_PULL, Backoff
from rescue.sandbox.kubelet.credentials import auth_file
from rescue.sandbox.kubelet.ending import failed_start
from rescue.sandbox.kubelet.env import ConfigError
from rescue.sandbox.kubelet.images import Image
from rescue.sandbox.kubelet.launch import CreateError, Place, StartError, create
from rescue.sandbox.kubelet.lives import Lives
from rescue.sandbox.kubelet.node import Node
from rescue.sandbox.kubelet.observed import Container, Run, Waiting
from rescue.sandbox.kubelet.pulls import PullError

# The kubelet's resync of a pod that could not be configured (seconds).
RETRY = 10.0


class Starter:
    """Starts the containers of one pod; what keeps one from starting becomes its ``waiting``."""

    def __init__(self, node: Node, lives: Lives) -> None:
        self._node = node
        self._lives = lives
        self._pulls = Backoff(MAX_PULL)
        self._failed_pulls: dict[str, tuple[float, str]] = {}

    async def start(self, place: Place, container: Container) -> float | None:
        """Try to start it; seconds until the next try is due, None when there is nothing to wait for."""
        self._note_lost_secrets(place)
        image = await self._image(place, container)
        if isinstance(image, float):
            return image
        attempt = container.run.attempt + 1 if container.run else 0
        run = await self._create(place, container, image, attempt)
        if run is None:
            return RETRY
        await self._replace(container, run)
        self._node.event(place.pod, "Created", "Container created", container)
        try:
            await self._lives.start(container, run, image.stop_signal)
        except StartError as error:
            self._fail(place, container, Waiting("RunContainerError", str(error)))
            run.exit = failed_start(str(error))
            return 0.0
        self._node.event(place.pod, "Started", "Container started", container)
        await self._lives.post_start(container, run)
        return None

    def _note_lost_secrets(self, place: Place) -> None:
        lookup = self._node.world(place.pod).lookup
        names = [entry["name"] for entry in place.pod["spec"].get("imagePullSecrets") or []]
        if lost := ", ".join(name for name in names if lookup("secrets", name) is None):
            text = f"Unable to retrieve some image pull secrets ({lost}); attempting to pull the image may not succeed."
            self._node.event(place.pod, "FailedToRetrieveImagePullSecret", text, warning=True)

    async def _image(self, place: Place, container: Container) -> Image | float:
        reference = container.spec["image"]
        policy = container.spec.get("imagePullPolicy", "IfNotPresent")
        image = await self._node.images.find(reference)
        # From a registry that cannot be reached, an image that is here counts as pulled again.
        fresh = policy == "Always" and self._node.pulls.reachable(reference)
        if image is not None and not fresh:
            self._note_present(place, container, image, pulled=policy == "Always")
            return image
        if policy == "Never":
            text = f'Container image "{reference}" is not present with pull policy of Never'
            self._node.event(place.pod, "ErrImageNeverPull", text, container, warning=True)
            self._fail(place, container, Waiting("ErrImageNeverPull", text), event="ErrImageNeverPull")
            return RETRY
        return await self._pull(place, container)

    def _note_present(self, place: Place, container: Container, image: Image, *, pulled: bool) -> None:
        name = container.spec["image"]
        if pulled:
            self._node.event(place.pod, "Pulling", f'Pulling image "{name}"', container)
            self._note_pulled(place, container, image, 0.001)
        else:
            text = f'Container image "{name}" already present on machine and can be accessed by the pod'
            self._node.event(place.pod, "Pulled", text, container)

    def _note_pulled(self, place: Place, container: Container, image: Image, seconds: float) -> None:
        took = f"{round(seconds * 1000)}ms" if seconds < 1 else f"{seconds:.3f}s"
        took = f"{took} ({took} including waiting)"
        text = f'Successfully pulled image "{container.spec["image"]}" in {took}. Image size: {image.size} bytes.'
        self._node.event(place.pod, "Pulled", text, container)

    async def _pull(self, place: Place, container: Container) -> Image | float:
        """Pull an image, or fail to, or wait for the next try."""
        name, now = container.spec["image"], time.monotonic()
        since, text = self._failed_pulls.get(name, (now, ""))
        if left := self._pulls.remaining(name, since, now):
            message = f'Back-off pulling image "{name}"'
            self._node.event(place.pod, "BackOff", message, container)
            waiting = Waiting("ImagePullBackOff", f"{message}: ErrImagePull: {text}")
            self._fail(place, container, waiting, event="ImagePullBackOff")
            return left
        auths = self._credentials(place)
        self._node.event(place.pod, "Pulling", f'Pulling image "{name}"', container)
        try:
            image = await self._node.pulls.pull(name, auths)
        except PullError as error:
            return self._pull_failed(place, container, str(error))
        self._note_pulled(place, container, image, time.monotonic() - now)
        return image

    def _credentials(self, place: Place) -> dict[str, Any]:
        auths, missing = auth_file(place.pod, self._node.world(place.pod).lookup)
        if missing:
            text = f"Unable to retrieve some image pull secrets ({', '.join(missing)}); attempting to pull the image"
            self._node.event(place.pod, "FailedToRetrieveImagePullSecret", f"{text} may not succeed.", warning=True)
        return auths

    def _pull_failed(self, place: Place, container: Container, text: str) -> float:
        name, now = container.spec["image"], time.monotonic()
        self._pulls.next(name, now, now)
        self._failed_pulls[name] = (now, text)
        self._node.event(place.pod, "Failed", f'Failed to pull image "{name}": {text}', container, warning=True)
        self._fail(place, container, Waiting("ErrImagePull", text), event="ErrImagePull")
        return 0.0

    async def _create(self, place: Place, container: Container, image: Image, attempt: int) -> Run | None:
        try:
            return await create(self._node, place, container, image, attempt)
        except ConfigError as error:
            self._fail(place, container, Waiting("CreateContainerConfigError", str(error)))
        except CreateError as error:
            self._fail(place, container, Waiting("CreateContainerError", str(error)))
        return None

    def _fail(self, place: Place, container: Container, waiting: Waiting, event: str = "") -> None:
        container.waiting = waiting
        text = f"Error: {event or waiting.message}"
        self._node.event(place.pod, "Failed", text, container, warning=True)

    async def _replace(self, container: Container, run: Run) -> None:
        """The new run becomes the present one; the log of the run before the last is forgotten."""
        old, container.previous, container.run = container.previous, container.run, run
        if old is not None:
            await asyncio.to_thread(shutil.rmtree, old.log.parent, ignore_errors=True)
        if container.previous is not None:
            await self._node.podman.remove(container.previous.id)
