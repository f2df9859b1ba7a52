"""How long a plan takes: the rules on a large pod, and what the start of `rescue plan` costs besides.

Each figure is also given as a multiple of one JSON dumps and loads of the same pod, which every machine can compare.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.clock import milliseconds
from rescue.model import Command, JsonObject
from rescue.placeholders import Choices
from rescue.plan import compile_plan
from rescue.rulebook import load_rules
from rescue.rules import Rule
from rescue.triage import offline_target

CONTAINERS, VOLUMES, VARIABLES = 10, 30, 100
SOME = 20
AVERAGE = f"  {SOME} of them, on average"
REQUIRED = {AVERAGE: 5.0}  # Figures that must be less than so many milliseconds.
COMMAND = Command(("/srv/shop",), "arguments")
CHOICES = Choices("x2b4c", "2026-01-01T00:00:00Z", "kim@desk", "busybox:1.37.0-musl", 3600, frozenset({"app"}))


def large_pod() -> JsonObject:
    """Ten containers with ten variables each, and thirty volumes, of which each is mounted in two of them."""
    labels = {"app": "shop", "tier": "web", "pod-template-hash": "5d4c9"}
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "shop-5d4c9", "uid": "1-2", "controller": True}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "shop-5d4c9-x2x7q", "namespace": "prod", "uid": "0-1", "labels": labels}
        | {"ownerReferences": [owner], "annotations": {f"example.com/a{number}": "value" for number in range(10)}},
        "spec": {
            "nodeName": "node1",
            "containers": [_container(number) for number in range(CONTAINERS)],
            "volumes": [{"name": f"v{number}", **_source(number)} for number in range(VOLUMES)],
        },
        "status": {"phase": "Running", "containerStatuses": [_status(number) for number in range(CONTAINERS)]},
    }


def _container(number: int) -> JsonObject:
    probe = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10, "timeoutSeconds": 1}
    own = {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    return {
        "name": f"c{number}",
        "image": "shop:1",
        "command": ["/srv/shop"],
        "env": [own, *({"name": f"V{each}", "value": "x" * 20} for each in range(1, VARIABLES // CONTAINERS))],
        "ports": [{"containerPort": 8080, "hostPort": 8080 + number, "protocol": "TCP"}],
        "livenessProbe": probe,
        "readinessProbe": probe,
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", "5"]}}},
        "resources": {"requests": {"cpu": "1", "memory": "64Mi"}, "limits": {"memory": "64Mi"}},
        "volumeMounts": [{"name": f"v{each}", "mountPath": f"/v{each}"} for each in _mounted(number)],
    }


def _mounted(number: int) -> list[int]:
    return [each for each in range(VOLUMES) if number in (each % CONTAINERS, (each + 1) % CONTAINERS)]


def _source(number: int) -> JsonObject:
    if number < VOLUMES // 3:
        return {"persistentVolumeClaim": {"claimName": f"data-{number}"}}
    return {"hostPath": {"path": "/var/log"}} if number > VOLUMES - 3 else {"configMap": {"name": f"c{number}"}}


def _status(number: int) -> JsonObject:
    image = f"docker.io/library/shop@sha256:{'1' * 64}"
    return {"name": f"c{number}", "image": "shop:1", "imageID": image, "ready": False, "restartCount": 3}


def figures(pod: JsonObject, rules: Sequence[Rule]) -> Iterator[tuple[str, float]]:
    """What was measured, and its milliseconds; the first is the yardstick."""
    target = offline_target(pod, "c0")

    def compiling(some: Sequence[Rule]) -> float:
        return milliseconds(lambda: compile_plan(pod, target, some, CHOICES, COMMAND))

    yield "JSON dumps and loads of the pod", milliseconds(lambda: json.loads(json.dumps(pod)))
    everything = compiling(rules)
    yield f"all {len(rules)} rules", everything
    yield AVERAGE, everything * SOME / len(rules)
    rest = _cheapest(rules, compiling)
    yield f"  the {SOME} that take most", everything - compiling(rest)
    yield "the rules read from their files", milliseconds(lambda: load_rules((), ()))


def _cheapest(rules: Sequence[Rule], compiling: Callable[[Sequence[Rule]], float]) -> list[Rule]:
    """All but the SOME rules without which a plan takes least."""
    without = {rule.id: compiling([other for other in rules if other is not rule]) for rule in rules if _can_go(rule)}
    dear = sorted(without, key=lambda name: without[name])[:SOME]
    return [rule for rule in rules if rule.id not in dear]


def _can_go(rule: Rule) -> bool:
    """Whether a clone without the rule can still be told from other pods."""
    return rule.id not in ("new-name", "managed-by") and not rule.where.startswith("14-")


def starts(pod: JsonObject) -> Iterator[tuple[str, float]]:
    """What whole processes take."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pod.json"
        path.write_text(json.dumps(pod), encoding="utf-8")
        yield "python -c pass", _process("-c", "pass")
        yield "  and import rescue.cli.plan", _process("-c", "import rescue.cli.plan")
        yield "rescue rules", _process("-m", "rescue", "rules")
        for output in ("patch", "diff"):
            yield f"rescue plan -f, -o {output}", _process("-m", "rescue", "plan", "-f", str(path), "-o", output)


def _process(*arguments: str) -> float:
    return milliseconds(lambda: subprocess.run([sys.executable, *arguments], capture_output=True, check=True), runs=5)


def line(name: str, taken: float, yardstick: float) -> tuple[str, bool]:
    """A figure in words, and whether it is as small as it is required to be, if it is."""
    text, bound = f"{name:<48} {taken:8.2f} ms {taken / yardstick:8.1f} x", REQUIRED.get(name)
    if bound is None:
        return text, True
    met = taken < bound
    return f"{text}   {'met' if met else 'NOT MET'}: less than {bound:g} ms", met


def main() -> int:
    """Print a line for each figure; 1 when a required one is not met."""
    pod, rules = large_pod(), load_rules((), ())
    size = len(json.dumps(pod)) // 1000
    print(f"a pod of {CONTAINERS} containers, {VOLUMES} volumes, {VARIABLES} variables: {size} KB of JSON\n")
    yardstick, all_met = 0.0, True
    for name, taken in (*figures(pod, rules), *starts(pod)):
        yardstick = yardstick or taken
        text, met = line(name, taken, yardstick)
        all_met = all_met and met
        print(text)
    return 0 if all_met else 1


if __name__ == "__main__":
    sys.exit(main())
