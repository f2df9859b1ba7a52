"""Images from a registry on this machine: credentials, pull policies, digests, and what is said of failures."""

import subprocess
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rescue.sandbox.kubelet import Kubelet
from rescue.sandbox.kubelet.credentials import auth_file
from rescue.sandbox.store import Object, Store
from tests.sandbox.kubelet import recorded, registry
from tests.sandbox.kubelet.pods import container, pod, reasons, running, until, waiting


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    """A registry that is empty."""
    folder = tmp_path / "registry"
    folder.mkdir()
    with registry.serving(folder) as address:
        yield address


def image_pod(name: str, image: str, *secrets: str, policy: str = "IfNotPresent") -> Object:
    app = container(image=image, imagePullPolicy=policy)
    return pod(name, app, imagePullSecrets=[{"name": secret} for secret in secrets])


def entry(found: Object) -> Any:
    return found["status"]["containerStatuses"][0]


def messages(store: Store, name: str) -> list[str]:
    return [event["message"] for event in store.list("events") if event["involvedObject"]["name"] == name]


@pytest.mark.containers
@pytest.mark.usefixtures("kubelet")
async def test_an_image_is_pulled_with_the_pods_credentials_and_has_a_digest(
    store: Store, image: str, host: str
) -> None:
    registry.push(image, f"{host}/team/shop:1")
    store.create("secrets", registry.pull_secret("creds", host))
    store.create("pods", image_pod("shop", f"{host}/team/shop:1", "creds"))
    found = await until(store, "shop", running)
    pinned = entry(found)["imageID"]
    assert pinned.startswith(f"{host}/team/shop@sha256:")
    assert [reason for _, reason in reasons(store, "shop")][:2] == ["Pulling", "Pulled"]
    store.create("pods", image_pod("pinned", pinned, "creds"))
    assert entry(await until(store, "pinned", running))["imageID"] == pinned


@pytest.mark.containers
@pytest.mark.usefixtures("kubelet")
@pytest.mark.parametrize(
    ("secret", "name", "why"),
    [
        ("", "shop:1", "pull access denied, repository does not exist or may require authorization: authorization"),
        ("wrong", "shop:1", "unexpected status from HEAD request to https://{host}/v2/shop/manifests/1: 401"),
        ("creds", "shop:2", "{host}/shop:2: not found"),
    ],
)
async def test_a_pull_that_fails_says_why(
    store: Store, image: str, host: str, secret: str, name: str, why: str
) -> None:
    registry.push(image, f"{host}/shop:1")
    store.create("secrets", registry.pull_secret("creds", host))
    store.create("secrets", registry.pull_secret("wrong", host, "guessed"))
    store.create("pods", image_pod("shop", f"{host}/{name}", *filter(None, [secret])))
    found = await until(store, "shop", waiting("ImagePullBackOff"))
    text = f'failed to pull and unpack image "{host}/{name}": failed to resolve image: {why.format(host=host)}'
    assert text in entry(found)["state"]["waiting"]["message"]


@pytest.mark.containers
@pytest.mark.usefixtures("kubelet")
async def test_a_pull_secret_that_is_missing_is_said(store: Store, image: str, host: str) -> None:
    registry.push(image, f"{host}/shop:1")
    store.create("pods", image_pod("shop", f"{host}/shop:1", "gone"))
    await until(store, "shop", waiting("ErrImagePull", "ImagePullBackOff"))
    assert (
        "Unable to retrieve some image pull secrets (gone); attempting to pull the image may not succeed."
        in messages(store, "shop")
    )


@pytest.mark.containers
@pytest.mark.usefixtures("kubelet")
async def test_the_pull_policy_decides_whether_the_registry_is_asked(store: Store, image: str, host: str) -> None:
    name = f"{host}/shop:1"
    registry.push(image, name)
    store.create("secrets", registry.pull_secret("creds", host))
    store.create("pods", image_pod("never", name, "creds", policy="Never"))
    await until(store, "never", waiting("ErrImageNeverPull"))
    store.create("pods", image_pod("first", name, "creds"))
    await until(store, "first", running)
    # It is here now: only Always needs the right to pull it again.
    store.create("pods", image_pod("present", name))
    await until(store, "present", running)
    store.create("pods", image_pod("always", name, policy="Always"))
    await until(store, "always", waiting("ErrImagePull", "ImagePullBackOff"))
    store.create("pods", image_pod("again", name, "creds", policy="Always"))
    await until(store, "again", running)


@pytest.mark.containers
@pytest.mark.usefixtures("image")
async def test_what_was_pulled_is_gone_when_the_sandbox_stops(
    store: Store, kubelet: Kubelet, image: str, host: str
) -> None:
    name = f"{host}/shop:1"
    registry.push(image, name)
    store.create("secrets", registry.pull_secret("creds", host))
    store.create("pods", image_pod("shop", name, "creds"))
    await until(store, "shop", running)
    await kubelet.stop()
    exists = [subprocess.run(["podman", "image", "exists", each]).returncode == 0 for each in (name, image)]
    assert exists == [False, True]


@pytest.mark.containers
@pytest.mark.usefixtures("kubelet")
async def test_a_registry_that_does_not_answer_is_named(store: Store) -> None:
    name = "127.0.0.1:1/shop:1"
    store.create("pods", image_pod("shop", name))
    found = await until(store, "shop", waiting("ErrImagePull", "ImagePullBackOff"))
    text = 'Head "http://127.0.0.1:1/v2/shop/manifests/1": dial tcp 127.0.0.1:1: connect: connection refused'
    assert text in entry(found)["state"]["waiting"]["message"]


def test_pull_secrets_of_both_types_are_joined() -> None:
    old = {
        "type": "kubernetes.io/dockercfg",
        "data": {".dockercfg": b64encode(b'{"https://a.example/v1/": {}}').decode()},
    }
    secrets = {
        "new": registry.pull_secret("new", "b.example:5000"),
        "old": old,
        "other": {"type": "Opaque", "data": {}},
    }
    names = ("new", "old", "other", "gone")
    found, missing = auth_file(
        image_pod("p", "i", *names), lambda resource, name: secrets.get(name) if resource == "secrets" else None
    )
    assert (sorted(found["auths"]), missing) == (["a.example", "b.example:5000"], ["gone"])


@pytest.mark.usefixtures("kubelet")
@pytest.mark.containers
async def test_a_registry_elsewhere_is_as_unreachable_as_on_the_recorded_node(store: Store) -> None:
    recording = recorded.pod("image-pull")["statuses"][4]["status"]["containerStatuses"][0]
    message = recording["state"]["waiting"]["message"].replace(" on 10.255.255.53:53", "")
    store.create("pods", image_pod("far", "registry.invalid/nope:1"))
    found = await until(store, "far", waiting("ErrImagePull", "ImagePullBackOff"))
    assert message in entry(found)["state"]["waiting"]["message"]
