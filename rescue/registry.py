"""The config of an image from its registry, by the first login that sees it."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from rescue.credentials import Credential
from rescue.image import Reference, image_words
from rescue.oci import Found, Refused, problem, read_configs

TOTAL_SECONDS = 12.0

Result = TypeVar("Result")


def find_config(image: Reference, logins: Sequence[Credential], architecture: str, running: str) -> Found:
    """The config of the image.

    ``architecture`` is the node's, empty when not known; ``running`` is the digest that the pod's status reports, and
    must then be on the way.  Raises RescueError (cluster) when the registry does not answer, does not show the image,
    or has an image whose platforms differ in their command.
    """
    if image.is_loopback and not (image.digest or running):
        raise problem(
            f"{image.host} is the node's own loopback: what answers here by that name may be another registry"
        )
    return _within(TOTAL_SECONDS, image.host, lambda: _by_any_login(image, logins, architecture, running))


def _by_any_login(image: Reference, logins: Sequence[Credential], architecture: str, running: str) -> Found:
    """What the first login sees that sees anything; the last one is the anonymous."""
    refusals: list[str] = []
    for login in (*logins, None):
        try:
            return _choose(image, read_configs(image, login, architecture), running)
        except Refused as refusal:
            refusals.append(f"{refusal} {'with ' + login.source if login else 'without credentials'}")
    raise problem(f"{image.host} does not show {image}: {'; '.join(refusals)}")


def _choose(image: Reference, found: list[Found], running: str) -> Found:
    """The one config, or several that name the same command; raises RescueError when it is not clear which one runs."""
    if running and not image.digest:
        found = [entry for entry in found if running in entry.digests]
        if not found:
            raise problem(f"{image} of the registry is not the image that the container runs, {running[:19]}…")
    commands = {(image_words(entry.config, "Entrypoint"), image_words(entry.config, "Cmd")) for entry in found}
    if len(commands) > 1:
        platforms = ", ".join(entry.platform for entry in found)
        raise problem(f"the command of {image} is not the same on {platforms}, and the node's platform is not known")
    return found[0]


def _within(seconds: float, host: str, work: Callable[[], Result]) -> Result:
    """What ``work`` gives, if it does so in time: name servers and many dead addresses know no time-out of ours."""
    future: Future[Result] = Future()
    threading.Thread(target=_run, args=(future, work), daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError as error:
        raise problem(f"the registry {host} did not answer within {seconds:.0f} s") from error


def _run(future: "Future[Result]", work: Callable[[], Result]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)
