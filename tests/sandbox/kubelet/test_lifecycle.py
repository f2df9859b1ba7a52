"""Real containers: start, crash, restart, end."""

import asyncio
import json
from typing import Any

import pytest

from rescue.sandbox.kubelet import Kubelet, LogError
from rescue.sandbox.store import Object, Store
from tests.sandbox.kubelet import recorded
from tests.sandbox.kubelet.pods import (
    NAMESPACE,
    PATIENCE,
    bound_claim,
    container,
    gone,
    log,
    pod,
    reasons,
    run,
    running,
    terminated,
    until,
    waiting,
)

pytestmark = [pytest.mark.containers, pytest.mark.usefixtures("kubelet")]


async def test_a_pod_runs_and_is_deleted(store: Store) -> None:
    store.create("pods", pod("plain"))
    found = await until(store, "plain", running)
    entry = found["status"]["containerStatuses"][0]
    assert (entry["ready"], entry["started"], entry["restartCount"]) == (True, True, 0)
    assert entry["containerID"].startswith("podman://")
    assert entry["user"] == {"linux": {"gid": 0, "supplementalGroups": [0], "uid": 0}}
    assert found["status"]["podIP"]
    store.mark_deleted("pods", NAMESPACE, "plain", 1)
    await gone(store, "plain")
    assert reasons(store, "plain") == [
        ("Normal", "Pulled"), ("Normal", "Created"), ("Normal", "Started"), ("Normal", "Killing")
    ]  # fmt: skip


async def test_a_crash_is_restarted_at_once_and_then_backs_off(kubelet: Kubelet, store: Store) -> None:
    script = "echo out; echo err >&2; printf why > /dev/termination-log; exit 3"
    store.create("pods", pod("crash", container(script=script)))
    found = await until(store, "crash", waiting("CrashLoopBackOff"))
    entry = found["status"]["containerStatuses"][0]
    last = entry["lastState"]["terminated"]
    assert entry["restartCount"] == 1
    assert (last["exitCode"], last["reason"], last["message"]) == (3, "Error", "why")
    assert entry["state"]["waiting"]["message"].startswith("back-off 10s restarting failed container=app pod=crash_")
    assert sorted((await log(kubelet, found)).split()) == [b"err", b"out"]
    assert await log(kubelet, found, previous=True) == await log(kubelet, found)
    assert ("Warning", "BackOff") in reasons(store, "crash")


async def test_the_oom_killer_is_seen(store: Store) -> None:
    eater = container(script="x=a; while :; do x=$x$x; done", resources={"limits": {"memory": "32Mi"}})
    store.create("pods", pod("oom", eater, restartPolicy="Never"))
    found = await until(store, "oom", lambda status: status["phase"] == "Failed")
    end = found["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (end["exitCode"], end["reason"]) == (137, "OOMKilled")


async def test_a_limit_that_holds_is_no_oom(store: Store) -> None:
    small = container(script="exit 137", resources={"limits": {"memory": "32Mi"}})
    store.create("pods", pod("small", small, restartPolicy="Never"))
    found = await until(store, "small", lambda status: status["phase"] == "Failed")
    assert found["status"]["containerStatuses"][0]["state"]["terminated"]["reason"] == "Error"


async def test_a_missing_command_reads_as_on_a_real_node(store: Store) -> None:
    store.create("pods", pod("absent", container() | {"command": ["/usr/bin/serve", "--port", "80"]}))
    found = await until(store, "absent", waiting("RunContainerError"))
    recording = recorded.pod("no-command")["statuses"][4]["status"]["containerStatuses"][0]
    entry = found["status"]["containerStatuses"][0]
    assert entry["state"] == recording["state"]
    ours, real = (e["lastState"]["terminated"] for e in (entry, recording))
    for field in ("exitCode", "message", "reason", "startedAt"):
        assert ours[field] == real[field]


@pytest.mark.parametrize(("policy", "code", "phase"), [
    ("Never", 0, "Succeeded"), ("Never", 9, "Failed"), ("OnFailure", 0, "Succeeded"),
])  # fmt: skip
async def test_a_pod_that_is_not_restarted_finishes(store: Store, policy: str, code: int, phase: str) -> None:
    store.create("pods", pod("job", container(script=f"exit {code}"), restartPolicy=policy))
    found = await until(store, "job", lambda status: status["phase"] == phase)
    conditions = {c["type"]: c["status"] for c in found["status"]["conditions"]}
    assert conditions["PodReadyToStartContainers"] == "False"
    assert found["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == code


async def test_init_containers_run_in_order_before_the_app(kubelet: Kubelet, store: Store) -> None:
    mount: Object = {"volumeMounts": [{"name": "d", "mountPath": "/d"}]}
    init = [container(name, f"echo {name} >> /d/order", **mount) for name in ("first", "second")]
    app = container(**mount)
    volumes = [{"name": "d", "emptyDir": {}}]
    store.create("pods", pod("init", app, initContainers=init, volumes=volumes))
    found = await until(store, "init", running)
    assert [e["state"]["terminated"]["exitCode"] for e in found["status"]["initContainerStatuses"]] == [0, 0]
    assert await run(kubelet, found, "cat /d/order") == "first\nsecond\n"


async def test_a_sidecar_starts_first_and_stops_last(kubelet: Kubelet, store: Store) -> None:
    mount: Object = {"volumeMounts": [{"name": "d", "mountPath": "/d"}]}
    side = container("side", _noting("side"), restartPolicy="Always", **mount)
    app = container(script=_noting("app"), **mount)
    claim = {"name": "d", "persistentVolumeClaim": {"claimName": "d"}}
    bound_claim(store, kubelet, "d")
    store.create("pods", pod("side", app, initContainers=[side], volumes=[claim], terminationGracePeriodSeconds=9))
    await until(store, "side", running)
    store.mark_deleted("pods", NAMESPACE, "side", 9)
    await gone(store, "side")
    store.create("pods", pod("reader", container(**mount), volumes=[claim]))
    found = await until(store, "reader", running)
    assert (await run(kubelet, found, "cat /d/log")).split() == ["side-begin", "app-begin", "app-end", "side-end"]


async def test_a_deadline_fails_the_pod(store: Store) -> None:
    store.create("pods", pod("late", activeDeadlineSeconds=1))
    found = await until(store, "late", lambda status: status["phase"] == "Failed")
    assert found["status"]["reason"] == "DeadlineExceeded"
    assert ("Normal", "DeadlineExceeded") in reasons(store, "late")


async def test_a_failing_post_start_hook_kills_the_container(store: Store) -> None:
    hook = {"postStart": {"exec": {"command": ["sh", "-c", "echo no >&2; exit 1"]}}}
    store.create("pods", pod("hook", container(lifecycle=hook)))
    found = await until(store, "hook", waiting("PostStartHookError"))
    recording = json.dumps(recorded.pod("poststart")["statuses"][4]["status"]["containerStatuses"][0]["state"])
    key = f"hook_{NAMESPACE}({found['metadata']['uid']})"
    expected = recording.replace("poststart_rec(21eb5c64-6f29-4e37-99b7-b7ecbb9b2ca2)", key)
    state = json.loads(expected.replace('Container \\"a\\"', 'Container \\"app\\"'))
    assert found["status"]["containerStatuses"][0]["state"] == state
    assert reasons(store, "hook")[3:5] == [("Warning", "FailedPostStartHook"), ("Normal", "Killing")]


async def test_a_failing_liveness_probe_restarts_without_showing_the_end(store: Store) -> None:
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 1}
    watch = store.watch("pods")
    store.create("pods", pod("live", container(livenessProbe=probe), terminationGracePeriodSeconds=0))
    states: list[Any] = []
    async with asyncio.timeout(60):
        while not states or states[-1][1] < 1:
            entries = (await anext(watch)).object["status"].get("containerStatuses", [])
            states += [(next(iter(e["state"])), e["restartCount"]) for e in entries]
    assert "terminated" not in {state for state, _ in states}
    assert ("Warning", "Unhealthy") in reasons(store, "live")


async def test_a_readiness_probe_decides_about_ready(store: Store) -> None:
    probe = {"exec": {"command": ["test", "-e", "/tmp/go"]}, "periodSeconds": 1}
    store.create("pods", pod("slow", container(script="sleep 2; touch /tmp/go; sleep 1000", readinessProbe=probe)))
    first = await until(store, "slow", running)
    assert first["status"]["containerStatuses"][0]["ready"] is False
    found = await until(store, "slow", lambda status: status["containerStatuses"][0]["ready"])
    assert {c["type"]: c["status"] for c in found["status"]["conditions"]}["Ready"] == "True"


async def test_a_signal_reaches_the_command_before_the_kill(store: Store) -> None:
    script = "trap 'echo bye; exit 5' TERM; while :; do sleep 0.1; done"
    store.create("pods", pod("polite", container(script=script), terminationGracePeriodSeconds=30))
    await until(store, "polite", running)
    store.mark_deleted("pods", NAMESPACE, "polite", 30)
    found = await until(store, "polite", terminated)
    assert found["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 5
    await gone(store, "polite")


async def test_hooks_run_after_the_start_and_before_the_stop(kubelet: Kubelet, store: Store) -> None:
    hooks = {
        "postStart": {"exec": {"command": ["sh", "-c", "echo post > /proc/1/fd/1"]}},
        "preStop": {"exec": {"command": ["sh", "-c", "echo pre > /proc/1/fd/1"]}},
    }
    store.create("pods", pod("hooked", container(lifecycle=hooks), terminationGracePeriodSeconds=5))
    found = await until(store, "hooked", running)
    following = asyncio.create_task(log(kubelet, found, follow=True))
    store.mark_deleted("pods", NAMESPACE, "hooked", 5)
    assert await following == b"post\npre\n"
    await gone(store, "hooked")


async def test_a_deletion_does_not_wait_for_a_hung_hook(store: Store) -> None:
    hooks = {"postStart": {"sleep": {"seconds": 3000}}}
    events = store.watch("events")
    store.create("pods", pod("hung", container(lifecycle=hooks)))
    async with asyncio.timeout(PATIENCE):
        while (await anext(events)).object["reason"] != "Started":
            pass
    store.mark_deleted("pods", NAMESPACE, "hung", 1)
    await gone(store, "hung")


async def test_a_new_image_restarts_the_container(store: Store) -> None:
    store.create("pods", pod("moved"))
    found = await until(store, "moved", running)
    containers = [found["spec"]["containers"][0] | {"image": "registry.invalid/other:1"}]
    store.update("pods", store.get("pods", NAMESPACE, "moved") | {"spec": found["spec"] | {"containers": containers}})
    await until(store, "moved", waiting("ErrImagePull"))
    assert ("Normal", "Killing") in reasons(store, "moved")


async def test_an_absent_image_backs_off_as_on_a_real_node(kubelet: Kubelet, store: Store) -> None:
    store.create("pods", pod("pull", container(image="registry.invalid/nope:1")))
    failed = await until(store, "pull", waiting("ErrImagePull"))
    assert "failed to resolve image" in failed["status"]["containerStatuses"][0]["state"]["waiting"]["message"]
    found = await until(store, "pull", waiting("ImagePullBackOff"))
    real = [(e["type"], e["reason"]) for e in recorded.pod("image-pull")["events"] if e["reason"] != "Scheduled"]
    assert sorted(reasons(store, "pull")) == sorted(real)
    with pytest.raises(LogError, match="trying and failing to pull image"):
        await log(kubelet, found)


async def test_a_pull_secret_that_is_not_there_is_an_event_and_no_obstacle(store: Store) -> None:
    store.create("pods", pod("plain", container(command=["sleep", "60"]), imagePullSecrets=[{"name": "login"}]))
    await until(store, "plain", running)
    assert reasons(store, "plain")[0] == ("Warning", "FailedToRetrieveImagePullSecret")


async def test_a_container_that_may_not_be_root_is_not_created(store: Store) -> None:
    store.create("pods", pod("nonroot", securityContext={"runAsNonRoot": True}))
    found = await until(store, "nonroot", waiting("CreateContainerConfigError"))
    message = found["status"]["containerStatuses"][0]["state"]["waiting"]["message"]
    assert message.startswith("container has runAsNonRoot and image will run as root (pod: ")
    assert found["status"]["phase"] == "Pending"


def _noting(name: str) -> str:
    return f"echo {name}-begin >> /d/log; trap 'echo {name}-end >> /d/log; exit 0' TERM; while :; do sleep 0.1; done"
