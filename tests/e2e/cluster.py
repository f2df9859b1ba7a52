"""The cluster that the suite runs on, seen with the plain Kubernetes client, and rescue run as a user runs it."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from kubernetes import client, config, utils
from kubernetes.stream import stream

RESCUE = Path(sys.executable).parent / "rescue"
MANAGED = "app.kubernetes.io/managed-by=rescue"
PATIENCE = 180  # seconds until a state must have come; a busy machine needs some
CLEAN_SECONDS = 30  # seconds until a deleted pod must be gone

Pod = dict[str, Any]
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Run:
    """What one call of rescue or kubectl left: its exit code and both streams."""

    code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        loaded: dict[str, Any] = json.loads(self.stdout)
        return loaded


@dataclass(frozen=True)
class Outcome:
    """What rescue said about one case's pod, the case folder that it wrote, and the clones that it left."""

    run: Run
    pod: str
    namespace: str
    folder: Path
    left: list[str]


class Cluster:
    """One kubeconfig context; a test asks it for namespaces, pods and runs of rescue, which work in ``folder``."""

    def __init__(self, kubeconfig: Path | None, context: str | None, folder: Path) -> None:
        self._folder = folder
        self._kubeconfig = kubeconfig
        self._context = context
        self._api = config.new_client_from_config(str(kubeconfig) if kubeconfig else None, context)
        # Any: these calls also take dictionaries and give raw answers, which the client's types do not know.
        self.core: Any = client.CoreV1Api(self._api)
        self._storage: Any = client.StorageV1Api(self._api)
        self._grouped: Any = client.CustomObjectsApi(self._api)

    @property
    def is_sandbox(self) -> bool:
        """Whether this is the suite's own sandbox."""
        return self._context is None

    @property
    def server(self) -> str:
        """The API server's URL."""
        return str(self._api.configuration.host)

    def behind(self, port: int, folder: Path) -> dict[str, str]:
        """The environment in which rescue reaches the API server through a loopback port."""
        if self._kubeconfig is None:
            raise ValueError("only the sandbox's certificate is good for a loopback port")
        copy = folder / "kubeconfig"
        original = urlsplit(self.server).netloc
        copy.write_text(self._kubeconfig.read_text().replace(original, f"127.0.0.1:{port}"))
        return {"KUBECONFIG": str(copy)}

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start rescue without a terminal; the context goes after the name of the command."""
        return self._start(arguments, environment, subprocess.DEVNULL)

    def _start(
        self, arguments: tuple[str, ...], environment: dict[str, str], stdin: int, program: str = str(RESCUE)
    ) -> subprocess.Popen[str]:
        context = ["--context", self._context] if self._context else []
        ours = {"KUBECONFIG": str(self._kubeconfig)} if self._kubeconfig else {}
        return subprocess.Popen(
            [program, arguments[0], *context, *arguments[1:]],
            cwd=self._folder,
            env=os.environ | ours | environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def rescue(self, *arguments: str, **environment: str) -> Run:
        """Run rescue to its end."""
        return _ended(self.start(*arguments, **environment), None)

    def pipe(self, text: str, *arguments: str) -> Run:
        """Run rescue to its end, with a text on its stdin."""
        return _ended(self._start(arguments, {}, subprocess.PIPE), text)

    def kubectl(self, text: str, *arguments: str) -> Run:
        """Run kubectl to its end, with a text on its stdin."""
        return _ended(self._start(arguments, {}, subprocess.PIPE, "kubectl"), text)

    def make_namespace(self, prefix: str, labels: dict[str, str]) -> str:
        """A fresh namespace, ready for pods: a real cluster makes its service account a moment later."""
        name = f"rescue-e2e-{prefix}-{secrets.token_hex(2)}"
        self.core.create_namespace({"metadata": {"name": name, "labels": labels}})
        wait_for(f"the default service account of {name}", lambda: self._service_account(name))
        return name

    def drop_namespace(self, name: str) -> None:
        """Begin to delete a namespace and everything in it."""
        self.core.delete_namespace(name)

    def apply(self, namespace: str, *objects: dict[str, Any]) -> None:
        """Create objects of any kind."""
        for document in objects:
            utils.create_from_dict(self._api, document, namespace=namespace)

    def pods(self, namespace: str, selector: str = "") -> list[Pod]:
        """The pods as the API spells them."""
        answer = self.core.list_namespaced_pod(namespace, label_selector=selector, _preload_content=False)
        items: list[Pod] = json.loads(answer.data)["items"]
        return items

    def objects(self, api_version: str, plural: str, namespace: str) -> list[Pod]:
        """Objects of another API group (``apps/v1``) as the API spells them."""
        items: list[Pod] = self._grouped.list_namespaced_custom_object(*api_version.split("/"), namespace, plural)[
            "items"
        ]
        return items

    def execute(self, namespace: str, pod: str, *command: str) -> None:
        """Run a command in a pod to its end."""
        # A client of its own, because ``stream`` changes the one that it is given.
        with config.new_client_from_config(str(self._kubeconfig) if self._kubeconfig else None, self._context) as api:
            run = client.CoreV1Api(api).connect_get_namespaced_pod_exec
            process = stream(run, pod, namespace, command=list(command), stdout=True, _preload_content=False)
            process.run_forever(timeout=60)
            process.sock.shutdown()  # ``close`` leaves the socket open when the server closed first.

    def pod_in_state(self, namespace: str, selector: str, state: str, container: str = "") -> str:
        """The name of the first selected pod, once one of its containers (or ``container``) is in ``state``.

        ``state`` is a waiting reason such as CrashLoopBackOff, or a phase such as Running.
        """
        return wait_for(
            f"{state} of {selector} in {namespace}",
            lambda: next(
                (
                    name_of(pod)
                    for pod in self.pods(namespace, selector)
                    if state in _states(pod, container) and "deletionTimestamp" not in pod["metadata"]
                ),
                "",
            ),
        )

    def clones(self, namespace: str) -> list[Pod]:
        """What rescue made and did not delete yet."""
        return self.pods(namespace, MANAGED)

    def delete_clones(self, namespace: str) -> None:
        """Delete what a killed rescue could not."""
        self.core.delete_collection_namespaced_pod(namespace, label_selector=MANAGED)

    def left_clones(self, namespace: str) -> list[str]:
        """The pods and claims of ours that are still there after a while; empty when all is well."""
        deadline = time.monotonic() + CLEAN_SECONDS
        while (left := self._ours(namespace)) and time.monotonic() < deadline:
            time.sleep(0.5)
        return left

    def _ours(self, namespace: str) -> list[str]:
        """All that looks like ours: by label, by name or by annotation, so that a lost mark hides nothing."""
        claims = self.core.list_namespaced_persistent_volume_claim(namespace, _preload_content=False)
        everything = [*self.pods(namespace), *json.loads(claims.data)["items"]]
        return [name_of(item) for item in everything if _is_ours(item["metadata"])]

    def provides(self, requirement: str) -> bool:
        """Whether a case that names this requirement can run; the sandbox has all that the cases ask for."""
        if not requirement or self.is_sandbox:
            return True
        if requirement != "default-storage-class":
            raise ValueError(f"unknown requirement {requirement}")
        classes = self._storage.list_storage_class().items
        default = "storageclass.kubernetes.io/is-default-class"
        return any((entry.metadata.annotations or {}).get(default) == "true" for entry in classes)

    def _service_account(self, namespace: str) -> bool:
        found = self.core.list_namespaced_service_account(namespace).items
        return any(account.metadata.name == "default" for account in found)


def _ended(started: subprocess.Popen[str], text: str | None) -> Run:
    """What a started program leaves, after reading ``text``."""
    with started as process:
        try:
            stdout, stderr = process.communicate(text, timeout=240)
        finally:
            process.kill()
    return Run(process.returncode, stdout, stderr)


def wait_for(what: str, probe: Callable[[], Answer], seconds: float = PATIENCE) -> Answer:
    """The first true answer of ``probe``; TimeoutError naming ``what`` when none came."""
    deadline = time.monotonic() + seconds
    while not (answer := probe()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.5)
    return answer


def name_of(pod: Pod) -> str:
    """metadata.name"""
    return str(pod["metadata"]["name"])


def _is_ours(metadata: dict[str, Any]) -> bool:
    marks = [*(metadata.get("annotations") or {}), *(metadata.get("labels") or {}).values()]
    return metadata["name"].startswith("rescue-") or any(mark.startswith("rescue") for mark in marks)


def _states(pod: Pod, container: str) -> Iterator[str]:
    status = pod["status"]
    yield status.get("phase", "")
    for entry in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
        waiting = entry.get("state", {}).get("waiting")
        if waiting and container in ("", entry["name"]):
            yield waiting["reason"]
