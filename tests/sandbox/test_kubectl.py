"""The ordinary kubectl against the API server; the kubelet is a fake, so no container runs here."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from rescue.dump import dump
from rescue.sandbox import bootstrap, controllers, kubeconfig, machine, pki
from rescue.sandbox.api.server import application
from rescue.sandbox.store import Store
from tests.sandbox.fakes import TOKEN, FakeExec, FakeKubelet
from tests.unit.harmless import make_plan

MANIFESTS = Path(__file__).parent / "data" / "manifests"
SHOP = MANIFESTS / "01-missing-key.yaml"


class Kubectl:
    """kubectl with the kubeconfig of a running server."""

    def __init__(self, store: Store, kubelet: FakeKubelet, folder: Path) -> None:
        self.store = store
        self.kubelet = kubelet
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "KUBECONFIG": str(folder / "kubeconfig"),
        }

    async def run(self, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        """(exit code, stdout, stderr)."""
        process = await asyncio.create_subprocess_exec(
            "kubectl",
            *arguments,
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(stdin.encode())
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()

    async def __call__(self, *arguments: str, stdin: str = "") -> str:
        """stdout of a command that must succeed."""
        code, out, err = await self.run(*arguments, stdin=stdin)
        assert code == 0, err
        return out

    def start_pods(self) -> list[str]:
        """What a kubelet would report of running pods; their names."""
        names = []
        for pod in self.store.list("pods", "default"):
            names.append(pod["metadata"]["name"])
            statuses = [
                {"name": c["name"], "ready": True, "restartCount": 2, "state": {"running": {"startedAt": None}}}
                | {"image": c["image"], "imageID": "", "lastState": {}}
                for c in pod["spec"]["containers"]
            ]
            conditions = [{"type": "Ready", "status": "True"}]
            status = {"phase": "Running", "podIP": "10.0.0.7", "conditions": conditions, "containerStatuses": statuses}
            self.store.update_status("pods", "default", names[-1], pod["status"] | status)
        return names

    def stop_pods(self) -> None:
        """What a kubelet would do with pods that are being deleted."""
        for pod in self.store.list("pods", "default"):
            if "deletionTimestamp" in pod["metadata"]:
                self.store.delete("pods", "default", pod["metadata"]["name"])


@pytest.fixture
async def kubectl(tmp_path: Path) -> AsyncIterator[Kubectl]:
    """A server over TLS with controllers and one node."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    store, kubelet, certificates = Store(), FakeKubelet(), pki.make()
    bootstrap.fill(store, certificates.authority, 6443)
    store.create("nodes", machine.node(tmp_path, "0"))
    server = TestServer(application(store, kubelet, TOKEN), scheme="https")
    await server.start_server(ssl=certificates.server_context(tmp_path))
    work = asyncio.create_task(controllers.run(store))
    url = f"https://127.0.0.1:{server.port}"
    kubeconfig.write(tmp_path / "kubeconfig", kubeconfig.build("default", url, certificates.authority, TOKEN))
    yield Kubectl(store, kubelet, tmp_path)
    work.cancel()
    await server.close()


async def applied(kubectl: Kubectl) -> str:
    """The name of the shop's pod, running."""
    await kubectl("apply", "-f", str(SHOP))
    async with asyncio.timeout(10):
        while not kubectl.store.list("pods", "default"):
            await asyncio.sleep(0.01)
    return kubectl.start_pods()[0]


async def test_the_kubeconfig_is_for_its_owner_alone(kubectl: Kubectl, tmp_path: Path) -> None:
    assert (tmp_path / "kubeconfig").stat().st_mode & 0o777 == 0o600
    assert await kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}") == "rescue-sandbox-admin"


async def test_api_resources_and_version(kubectl: Kubectl) -> None:
    listed = await kubectl("api-resources", "--no-headers")
    kinds = {line.split()[-1] for line in listed.splitlines()}
    assert {"Pod", "Deployment", "Job", "Event", "EndpointSlice", "NetworkPolicy"} <= kinds
    assert json.loads(await kubectl("version", "-o", "json"))["serverVersion"]["minor"] == "36"


async def test_apply_creates_changes_and_leaves_alone(kubectl: Kubectl) -> None:
    assert await kubectl("apply", "-f", str(SHOP)) == "configmap/shop-config created\ndeployment.apps/shop created\n"
    again = await kubectl("apply", "-f", str(SHOP))
    assert again == "configmap/shop-config unchanged\ndeployment.apps/shop unchanged\n"
    changed = SHOP.read_text("utf-8").replace("64Mi", "96Mi")
    assert "deployment.apps/shop configured" in await kubectl("apply", "-f", "-", stdin=changed)
    containers = kubectl.store.get("deployments", "default", "shop")["spec"]["template"]["spec"]["containers"]
    assert [c["resources"]["limits"]["memory"] for c in containers] == ["96Mi"]
    assert [m["name"] for m in containers[0]["volumeMounts"]] == ["config"]


async def test_apply_refuses_an_unknown_field(kubectl: Kubectl) -> None:
    wrong = SHOP.read_text("utf-8").replace("replicas:", "replicsa:")
    code, _, err = await kubectl.run("apply", "-f", "-", stdin=wrong)
    assert code == 1
    assert 'strict decoding error: unknown field "spec.replicsa"' in err


async def test_get_shows_the_columns_of_a_real_cluster(kubectl: Kubectl) -> None:
    name = await applied(kubectl)
    head, row = (await kubectl("get", "pods", "-o", "wide")).splitlines()
    assert head.split()[:7] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]
    assert row.split()[:4] == [name, "1/1", "Running", "2"]
    assert row.split()[5:7] == ["10.0.0.7", "node1"]
    assert (await kubectl("get", "all", "-o", "name")).split()[-1].startswith("replicaset.apps/shop-")
    assert "app=shop" in await kubectl("get", "pod", name, "--show-labels")


async def test_describe_shows_events(kubectl: Kubectl) -> None:
    name = await applied(kubectl)
    text = await kubectl("describe", "pod", name)
    assert f"Successfully assigned default/{name} to node1" in text
    assert "Controlled By: ReplicaSet/shop-" in " ".join(text.split())
    assert "Scaled up replica set" in await kubectl("describe", "deployment", "shop")
    assert "KubeletReady" in await kubectl("describe", "node", "node1")


async def test_logs(kubectl: Kubectl) -> None:
    name = await applied(kubectl)
    kubectl.kubelet.log_chunks = [b"opening config\n"]
    assert await kubectl("logs", name, "--previous", "--tail", "5") == "opening config\n"
    assert kubectl.kubelet.calls[-1]["previous"] is True
    assert kubectl.kubelet.calls[-1]["tail_lines"] == 5
    assert await kubectl("logs", "-f", "deploy/shop") == "opening config\n"


async def test_exec_carries_stdin_output_and_the_exit_code(kubectl: Kubectl) -> None:
    name = await applied(kubectl)
    session = kubectl.kubelet.session = FakeExec([(1, b"out\n"), (2, b"err\n")], code=7, until_stdin_ends=True)
    code, out, err = await kubectl.run("exec", "-i", name, "--", "sh", "-c", "exit 7", stdin="input")
    assert (code, out) == (7, "out\n")
    assert err == "err\ncommand terminated with exit code 7\n"
    assert session.received == [b"input", "eof"]


async def test_delete_and_what_it_owned(kubectl: Kubectl) -> None:
    await applied(kubectl)
    assert await kubectl("delete", "-f", str(SHOP), "--wait=false") == (
        'configmap "shop-config" deleted\ndeployment.apps "shop" deleted\n'
    )
    async with asyncio.timeout(10):
        while kubectl.store.list("replicasets", "default") or kubectl.store.list("pods", "default"):
            kubectl.stop_pods()
            await asyncio.sleep(0.01)


async def test_a_forced_delete_waits_for_nobody(kubectl: Kubectl) -> None:
    name = await applied(kubectl)
    await kubectl("delete", "pod", name, "--grace-period=0", "--force")
    assert name not in [pod["metadata"]["name"] for pod in kubectl.store.list("pods")]


async def test_commands_that_send_protobuf(kubectl: Kubectl) -> None:
    await kubectl("create", "namespace", "team")
    await kubectl("create", "configmap", "settings", "-n", "team", "--from-literal=a=b")
    await kubectl("create", "secret", "generic", "key", "-n", "team", "--from-literal=c=d")
    assert kubectl.store.get("configmaps", "team", "settings")["data"] == {"a": "b"}
    assert kubectl.store.get("secrets", "team", "key")["data"] == {"c": "ZA=="}
    assert await kubectl("auth", "can-i", "create", "pods") == "yes\n"
    code, _, err = await kubectl.run("create", "deployment", "d", "--image", "busybox:1.36")
    assert code == 1
    assert "kubectl apply -f" in err


async def test_scale(kubectl: Kubectl) -> None:
    await applied(kubectl)
    assert await kubectl("scale", "deployment", "shop", "--replicas=3") == "deployment.apps/shop scaled\n"
    assert kubectl.store.get("deployments", "default", "shop")["spec"]["replicas"] == 3
    code, _, err = await kubectl.run("scale", "deployment", "shop", "--current-replicas=1", "--replicas=2")
    assert (code, "Expected replicas to be 1, was 3" in err) == (1, True)


async def test_wait_label_patch_and_explain(kubectl: Kubectl) -> None:
    name = await applied(kubectl)
    await kubectl("wait", "pod", name, "--for=condition=Ready", "--timeout=5s")
    await kubectl("wait", "deployment", "shop", "--for=condition=Available", "--timeout=5s")
    await kubectl("label", "pod", name, "color=red")
    await kubectl("annotate", "pod", name, "why=test")
    await kubectl("patch", "pod", name, "--type=json", "-p", '[{"op":"remove","path":"/metadata/labels/color"}]')
    meta = kubectl.store.get("pods", "default", name)["metadata"]
    assert ("color" in meta["labels"], meta["annotations"]["why"]) == (False, "test")
    assert "restartPolicy" in await kubectl("explain", "pod.spec")


async def test_a_plan_as_yaml_is_read_by_kubectl_as_it_was_meant(kubectl: Kubectl) -> None:
    tricky = [
        "yes",
        "0755",
        "1e3",
        "~",
        "2026-01-01",
        "a: b #c",
        "$(HOME) $$",
        "two\nlines\n",
        " x ",
        "é\t",
        "{x}",
        "12:30",
    ]
    env = [{"name": f"V{number}", "value": value} for number, value in enumerate(tricky)]
    pod = {
        "metadata": {"name": "web", "annotations": {f"a{number}": value for number, value in enumerate(tricky)}},
        "spec": {"containers": [{"name": "web", "image": "shop:1", "command": tricky, "env": env}]},
    }
    clone = make_plan({"apiVersion": "v1", "kind": "Pod", **pod}, "web").clone
    taken = json.loads(await kubectl("apply", "--dry-run=server", "-o", "json", "-f", "-", stdin=dump(clone)))
    assert taken["metadata"]["name"] == clone["metadata"]["name"]
    assert {**clone["metadata"]["annotations"], **taken["metadata"]["annotations"]} == taken["metadata"]["annotations"]
    assert taken["spec"]["containers"][0]["env"] == env
    assert taken["spec"]["containers"][0]["args"] == ["/bin/true", "$(HOME)"]
    assert kubectl.store.list("pods", "default") == []
