"""The token of the account: which containers get it, and when none does."""

from typing import Any

import pytest

from rescue.sandbox.admission.accounts import MOUNT_PATH
from rescue.sandbox.objects import Object
from rescue.sandbox.status import ApiError
from rescue.sandbox.store import Store
from tests.sandbox.plain import create

OWN = {"name": "own", "mountPath": MOUNT_PATH}


def made(store: Store, **spec: Any) -> Object:
    """A new pod's spec: an init container, a sidecar and two containers, the second with a mount of its own."""
    plain = {"image": "busybox:1.36"}
    inits = [plain | {"name": "init"}, plain | {"name": "side", "restartPolicy": "Always"}]
    containers = [plain | {"name": "app"}, plain | {"name": "other", "volumeMounts": [OWN]}]
    volumes = [{"name": "own", "emptyDir": {}}, *spec.pop("volumes", [])]
    body = {"initContainers": inits, "containers": containers, "volumes": volumes} | spec
    found: Object = create(store, "pods", "p", body)["spec"]
    return found


def mounts(spec: Object) -> dict[str, list[str]]:
    """container -> what is mounted where the token belongs."""
    containers = spec["initContainers"] + spec["containers"]
    return {
        c["name"]: [m["name"] for m in c.get("volumeMounts", []) if m["mountPath"] == MOUNT_PATH] for c in containers
    }


def added(spec: Object) -> list[Object]:
    return [volume for volume in spec["volumes"] if volume["name"].startswith("kube-api-access-")]


def test_every_container_without_a_mount_at_its_place_gets_the_token(store: Store) -> None:
    spec = made(store)
    (volume,) = added(spec)
    name = volume["name"]
    assert mounts(spec) == {"init": [name], "side": [name], "app": [name], "other": ["own"]}
    sources = [next(iter(source)) for source in volume["projected"]["sources"]]
    assert sources == ["serviceAccountToken", "configMap", "downwardAPI"]


@pytest.mark.parametrize("of_pod", [True, None])
@pytest.mark.parametrize("of_account", [False, None])
def test_the_pod_has_the_last_word_on_whether_there_is_a_token(
    store: Store, of_pod: bool | None, of_account: bool | None
) -> None:
    account = store.get("serviceaccounts", "default", "default")
    if of_account is not None:
        store.update("serviceaccounts", account | {"automountServiceAccountToken": of_account})
    spec = made(store, **({} if of_pod is None else {"automountServiceAccountToken": of_pod}))
    assert bool(added(spec)) is (of_pod is True or of_account is None)


def test_a_pod_that_wants_no_token_gets_none(store: Store) -> None:
    spec = made(store, automountServiceAccountToken=False)
    assert added(spec) == []
    assert mounts(spec) == {"init": [], "side": [], "app": [], "other": ["own"]}


def test_the_volume_of_a_copied_manifest_is_used_again(store: Store) -> None:
    old = {"name": "kube-api-access-old22", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    spec = made(store, volumes=[old])
    assert [volume["name"] for volume in added(spec)] == ["kube-api-access-old22"]
    assert mounts(spec)["app"] == ["kube-api-access-old22"]


def test_a_copied_mount_without_its_volume_is_refused(store: Store) -> None:
    lost = {"name": "kube-api-access-gone2", "mountPath": MOUNT_PATH}
    with pytest.raises(ApiError) as refused:
        made(store, containers=[{"name": "app", "image": "busybox:1.36", "volumeMounts": [lost]}])
    assert 'spec.containers[0].volumeMounts[0].name: Not found: "kube-api-access-gone2"' in refused.value.message


def test_an_account_that_is_missing_is_named_with_what_the_pod_will_be_called(store: Store) -> None:
    with pytest.raises(ApiError) as refused:
        create(store, "pods", "", {"containers": [], "serviceAccountName": "nobody"}, generateName="shop-")
    why = 'error looking up service account default/nobody: serviceaccount "nobody" not found'
    assert refused.value.message == f'pods "shop-" is forbidden: {why}'
