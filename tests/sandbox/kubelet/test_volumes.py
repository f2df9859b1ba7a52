"""Volumes, variables and security settings as a container sees them."""

from base64 import b64encode

import pytest

from rescue.sandbox.kubelet import Kubelet
from rescue.sandbox.store import Object, Store
from tests.sandbox.kubelet.pods import (
    IMAGE,
    NAMESPACE,
    config_map,
    container,
    pod,
    reasons,
    run,
    running,
    until,
)

pytestmark = pytest.mark.containers


def _secret(name: str, data: dict[str, bytes]) -> Object:
    encoded = {key: b64encode(value).decode() for key, value in data.items()}
    meta = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": encoded}


async def test_config_maps_and_secrets_have_the_kubelets_layout(kubelet: Kubelet, store: Store) -> None:
    store.create("configmaps", config_map("conf", {"app.toml": "mode = 1\n", "other": "2"}))
    store.create("secrets", _secret("keys", {"key": b"\x00\xff"}))
    volumes = [
        {"name": "c", "configMap": {"name": "conf", "items": [{"key": "app.toml", "path": "a/b"}]}},
        {"name": "s", "secret": {"secretName": "keys", "defaultMode": 0o400}},
    ]  # fmt: skip
    mounts = [
        {"name": "c", "mountPath": "/c", "readOnly": True},
        {"name": "s", "mountPath": "/s"},
        {"name": "c", "mountPath": "/one", "subPath": "a/b"},
    ]
    store.create("pods", pod("files", container(volumeMounts=mounts), volumes=volumes))
    found = await until(store, "files", running)
    assert await run(kubelet, found, "cat /c/a/b /one") == "mode = 1\nmode = 1\n"
    assert await run(kubelet, found, "readlink /c/a; readlink /c/..data | cut -c1-4") == "..data/a\n..20\n"
    assert await run(kubelet, found, "od -An -tx1 /s/key; stat -L -c %a /s/key") == " 00 ff\n400\n"
    assert "Read-only" in await run(kubelet, found, "touch /c/new 2>&1")


async def test_projected_and_downward_volumes_and_a_group(kubelet: Kubelet, store: Store) -> None:
    store.create("configmaps", config_map("kube-root-ca.crt", {"ca.crt": "CERT"}))
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
    ]
    volumes = [{"name": "p", "projected": {"sources": sources, "defaultMode": 0o644}}, {"name": "e", "emptyDir": {}}]
    mounts = [{"name": "p", "mountPath": "/p"}, {"name": "e", "mountPath": "/e"}]
    context = {"runAsUser": 1000, "runAsGroup": 2000, "fsGroup": 3000, "supplementalGroups": [4000]}
    store.create("pods", pod("joined", container(volumeMounts=mounts), volumes=volumes, securityContext=context))
    found = await until(store, "joined", running)
    user = found["status"]["containerStatuses"][0]["user"]["linux"]
    assert (user["uid"], user["gid"], sorted(user["supplementalGroups"])) == (1000, 2000, [2000, 3000, 4000])
    assert await run(kubelet, found, "cat /p/token /p/ca.crt /p/labels") == ('token-of-default-defaultCERTapp="joined"')
    assert await run(kubelet, found, "stat -L -c '%a %g' /p/token /e") == "640 3000\n2777 3000\n"
    assert await run(kubelet, found, "touch /e/mine && stat -c %g /e/mine") == "3000\n"


async def test_memory_volumes_are_limited_and_host_paths_are_the_hosts(
    kubelet: Kubelet, store: Store, tmp_path_factory: pytest.TempPathFactory
) -> None:
    host = tmp_path_factory.mktemp("host")
    (host / "file").write_text("from the host\n")
    volumes = [
        {"name": "m", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        {"name": "h", "hostPath": {"path": str(host), "type": "Directory"}},
    ]
    mounts = [{"name": "m", "mountPath": "/m"}, {"name": "h", "mountPath": "/h", "readOnly": True}]
    store.create("pods", pod("host", container(volumeMounts=mounts), volumes=volumes))
    found = await until(store, "host", running)
    assert await run(kubelet, found, "head -c 2000000 /dev/zero > /m/full; stat -c %s /m/full") == "1048576\n"
    assert await run(kubelet, found, "cat /h/file") == "from the host\n"


async def test_a_missing_config_map_is_a_failed_mount_until_it_comes(kubelet: Kubelet, store: Store) -> None:
    assert kubelet is not None
    volumes = [{"name": "c", "configMap": {"name": "late"}}]
    mounts = [{"name": "c", "mountPath": "/c"}]
    events = store.watch("events")
    store.create("pods", pod("waits", container(volumeMounts=mounts), volumes=volumes))
    event = (await anext(events)).object
    assert (event["reason"], event["type"]) == ("FailedMount", "Warning")
    assert event["message"] == 'MountVolume.SetUp failed for volume "c" : configmap "late" not found'
    store.create("configmaps", config_map("late", {"a": "b"}))
    await until(store, "waits", running)
    assert reasons(store, "waits")[0] == ("Warning", "FailedMount")


async def test_variables_come_from_everywhere(kubelet: Kubelet, store: Store) -> None:
    store.create("configmaps", config_map("env", {"FROM_MAP": "m", "KEY": "k"}))
    env = [
        {"name": "PLAIN", "value": "a b"},
        {"name": "JOINED", "value": "$(PLAIN)-$(FROM_MAP)-$$(PLAIN)-$(NONE)"},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "ONE", "valueFrom": {"configMapKeyRef": {"name": "env", "key": "KEY"}}},
        {"name": "MEM", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
    ]
    app = container(env=env, envFrom=[{"configMapRef": {"name": "env"}}], resources={"limits": {"memory": "64Mi"}})
    store.create("pods", pod("vars", app))
    found = await until(store, "vars", running)
    names = "PLAIN JOINED POD IP ONE MEM FROM_MAP"
    values = (await run(kubelet, found, f'for n in {names}; do eval echo "\\$$n"; done')).splitlines()
    assert values == ["a b", "a b-m-$(PLAIN)-$(NONE)", "vars", found["status"]["podIP"], "k", "64", "m"]


async def test_privileges_are_those_of_the_security_context(kubelet: Kubelet, store: Store) -> None:
    tight = {
        "runAsUser": 65534, "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    added = {"capabilities": {"drop": ["ALL"], "add": ["SYS_PTRACE"]}}
    containers = [
        container("tight", securityContext=tight), container("plain"), container("added", securityContext=added),
    ]  # fmt: skip
    store.create("pods", pod("caps", *containers))
    found = await until(store, "caps", running)
    status = "grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status | cut -f2"
    none = "0" * 16
    assert (await run(kubelet, found, status, "tight")).split() == [none, none, "1", "2"]
    # containerd's default set: the 14 of oci/spec.go.
    assert (await run(kubelet, found, status, "plain")).split() == ["00000000a80425fb"] * 2 + ["0", "0"]
    assert (await run(kubelet, found, status, "added")).split() == ["0000000000080000"] * 2 + ["0", "0"]
    assert "Read-only" in await run(kubelet, found, "touch /tmp/x 2>&1", "tight")


async def test_an_image_is_a_volume_to_execute_from(kubelet: Kubelet, store: Store) -> None:
    volumes = [{"name": "i", "image": {"reference": IMAGE}}]
    tools = container(volumeMounts=[{"name": "i", "mountPath": "/tools"}])
    store.create("pods", pod("tooled", tools, volumes=volumes))
    found = await until(store, "tooled", running)
    assert await run(kubelet, found, "/tools/bin/busybox echo works") == "works\n"
    assert "Read-only" in await run(kubelet, found, "touch /tools/x 2>&1")


async def test_a_mounted_folder_may_hold_our_own_files(kubelet: Kubelet, store: Store) -> None:
    store.create("configmaps", config_map("hosts", {"hosts": "10.9.9.9 mine\n"}))
    mounts = [{"name": "h", "mountPath": "/etc/hosts", "subPath": "hosts"}]
    volumes = [{"name": "h", "configMap": {"name": "hosts"}}]
    limits = {"limits": {"cpu": "1m"}}
    store.create("pods", pod("own", container(volumeMounts=mounts, resources=limits), volumes=volumes))
    found = await until(store, "own", running)
    assert await run(kubelet, found, "cat /etc/hosts") == "10.9.9.9 mine\n"
