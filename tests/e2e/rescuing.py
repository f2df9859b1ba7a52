"""A rescue under way, seen from outside: its process, its clone, how far it has come."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e import pods
from tests.e2e.cluster import Cluster, Pod, Run, name_of, wait_for

NOWHERE = str(Path(__file__).parent / "ground" / "nowhere.yaml")  # A rule that keeps the clone from every node.
SECONDS = 240  # A rescue that cannot reach its cluster gives up within this time.


@dataclass(frozen=True)
class Rescuing:
    """One ``rescue pod`` that runs; ``case`` is its folder."""

    cluster: Cluster
    namespace: str
    process: subprocess.Popen[str]
    case: Path

    def clone(self) -> Pod:
        """Its clone as it is now; waits until there is one."""
        return self._wait_for("a clone", self.found)

    def found(self) -> Pod:
        """Its clone as it is now; empty when there is none."""
        found = self.cluster.clones(self.namespace)
        return next((pod for pod in found if name_of(pod) in self._planned()), {})

    def _planned(self) -> str:
        manifest = self.case / "clone.yaml"
        return manifest.read_text() if manifest.exists() else ""

    def clone_that_waits(self) -> Pod:
        """Its clone, which no node takes."""
        return self._wait_for("a clone that waits", lambda: pod if _is_unschedulable(pod := self.clone()) else {})

    def clone_that_replays(self) -> Pod:
        """Its clone, from which the first lines of the replay have come."""
        log = self.case / "replay" / "hunter.log"
        return self._wait_for("a replay", lambda: self.found() if log.exists() else {})

    def clone_that_leaves(self) -> Pod:
        """Its clone, whose deletion has begun and takes until it is let go."""
        clone = self.clone_that_replays()
        pods.hold(self.cluster, clone)
        self.wait_for_deletion(clone)
        return clone

    def _wait_for(self, what: str, look: Callable[[], Pod]) -> Pod:
        """The clone once ``look`` gives it; AssertionError with rescue's words when it ends before."""
        found: Pod = wait_for(what, lambda: look() or ({"ended": True} if self.has_ended() else {}))
        assert "ended" not in found, f"no {what}: {self.end()}"
        return found

    def wait_for_deletion(self, clone: Pod) -> None:
        """Wait until the deletion of a held clone has begun."""
        wait_for("its deletion", lambda: pods.is_leaving(self.cluster, clone))

    def signal(self, *numbers: signal.Signals) -> None:
        """Send it signals."""
        for number in numbers:
            self.process.send_signal(number)

    def end(self) -> Run:
        """Wait for its end."""
        stdout, stderr = self.process.communicate(timeout=SECONDS)
        return Run(self.process.returncode, stdout, stderr)

    def has_ended(self) -> bool:
        """Whether its process is gone."""
        return self.process.poll() is not None


@contextmanager
def rescuing(
    cluster: Cluster, namespace: str, pod: str, folder: Path, *arguments: str, **environment: str
) -> Iterator[Rescuing]:
    """Start to rescue a pod that is in its crash loop; the process is ended with the block."""
    cluster.pod_in_state(namespace, f"app={pod}", "CrashLoopBackOff")
    case = folder / "case"
    process = cluster.start("pod", pod, "-n", namespace, "--case", str(case), *arguments, **environment)
    with process:
        try:
            yield Rescuing(cluster, namespace, process, case)
        finally:
            process.kill()


def state_in(case: Path) -> str:
    """What became of the clone, as the case has it."""
    return str(json.loads((case / "case.json").read_text())["clone"]["state"])


def _is_unschedulable(pod: Pod) -> bool:
    conditions: list[dict[str, Any]] = pod["status"].get("conditions") or []
    return any(entry["type"] == "PodScheduled" and entry["status"] == "False" for entry in conditions)
