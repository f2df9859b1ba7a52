"""Pods that a server would take, drawn from the published schema; and targets and wishes that fit them."""

from dataclasses import dataclass, replace

from hypothesis import strategies as st

from rescue import labels
from rescue.claims import MODES, names
from rescue.model import Command, JsonObject, Target
from rescue.options import Wishes
from rescue.placeholders import Choices
from rescue.triage import offline_target

from .openapi_strategies import of
from .openapi_values import LABEL_KEYS
from .repaired import containers, repaired

_STATES: tuple[JsonObject, ...] = ({"waiting": {"reason": "CrashLoopBackOff"}}, {"terminated": {"exitCode": 0}})
_CLAIM = {"resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "fast"}
_ACCESS = ("ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany")


_VALUES = st.sampled_from(["web", "rescue", ""])
_EXPRESSION = st.fixed_dictionaries(
    {
        "key": st.sampled_from([*LABEL_KEYS, "canary"]),
        "operator": st.sampled_from(["In", "NotIn"]),
        "values": st.lists(_VALUES, min_size=1, max_size=2, unique=True),
    }
) | st.fixed_dictionaries(
    {"key": st.sampled_from([*LABEL_KEYS, "canary"]), "operator": st.sampled_from(["Exists", "DoesNotExist"])}
)


@dataclass(frozen=True)
class Case:
    """Everything that a plan is made of, but the rules."""

    pod: JsonObject
    target: Target
    command: Command
    choices: Choices


@st.composite
def pods(draw: st.DrawFn) -> JsonObject:
    """Pods as a cluster has them: live ones with server fields, ephemeral containers and a status among them."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": draw(of("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"))}
    pod = repaired(pod | {"spec": draw(of("PodSpec"))})
    if draw(st.booleans()):
        statuses = [_status(container, draw(st.sampled_from(_STATES))) for container in pod["spec"]["containers"]]
        pod["status"] = {"phase": "Running", "containerStatuses": statuses}
    return pod


def _status(container: JsonObject, state: JsonObject) -> JsonObject:
    digest = f"docker.io/library/{container['image'].partition(':')[0]}@sha256:{'2' * 64}"
    return {"name": container["name"], "image": container["image"], "imageID": digest, "state": state}


@st.composite
def wishes(draw: st.DrawFn, pod: JsonObject, target: Target) -> Wishes:
    """Wishes that fit a pod."""
    own = next(c for c in containers(pod["spec"]) if c["name"] == target.container)
    claims = names(pod)
    others = [c["name"] for c in _planned(pod) if c["name"] != target.container]
    variables = list(dict.fromkeys(entry["name"] for entry in own.get("env", ())))
    return Wishes(
        claims=tuple(draw(_some_of(["*", *claims, *claims.values()], st.sampled_from(MODES)))),
        images=tuple(draw(_some_of([c["name"] for c in _planned(pod)], st.just("other:2")))),
        env=tuple(draw(_some_of(["A", "NEW"], st.sampled_from(["", "1", "$(A)"])))),
        unset=tuple(draw(st.lists(st.sampled_from(variables), unique=True, max_size=2))) if variables else (),
        memory=draw(st.sampled_from([None, None, "1Ki", "512Mi"])),
        run_as=draw(st.sampled_from([None, None, 0, 1000])),
        same_node=draw(st.sampled_from([None, True])) if pod["spec"].get("nodeName") else None,
        identity=draw(st.booleans()),
        minimal_requests=draw(st.booleans()),
        only_target=draw(st.booleans()),
        without=tuple(draw(st.lists(st.sampled_from(others), unique=True, max_size=2))) if others else (),
    )


def _planned(pod: JsonObject) -> list[JsonObject]:
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]


def _some_of(keys: list[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[list[tuple[str, str]]]:
    return st.lists(st.tuples(st.sampled_from(keys), values), unique_by=lambda item: item[0], max_size=2)


def selectors(least: int = 0) -> st.SearchStrategy[dict[str, JsonObject]]:
    """Selectors of some controllers, which name at least so many labels that a pod must have."""
    equal = st.dictionaries(st.sampled_from(["app", "tier", "a.b/d-e.F_g"]), _VALUES, min_size=least, max_size=2)
    expressions = st.lists(_EXPRESSION, min_size=1 - least, max_size=2)
    selector = st.fixed_dictionaries({"matchLabels": equal, "matchExpressions": expressions})
    return st.dictionaries(st.sampled_from(["ReplicaSet a", "DaemonSet b", "Job c"]), selector, max_size=3)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Pods with a target, selectors and wishes; some are planned as scouts, which mount no claims.

    Each selector names a label that is taken away, so that no clone is refused for it.
    """
    pod = draw(pods())
    target = offline_target(pod, draw(st.sampled_from([c["name"] for c in _planned(pod)])))
    scout = draw(st.sampled_from([False, False, False, True]))
    wished = draw(wishes(pod, target))
    modes = draw(st.lists(st.sampled_from(_ACCESS), min_size=1, max_size=2, unique=True))
    known = draw(selectors(least=1))
    choices = Choices(
        suffix="x2b4c",
        expires="2026-01-01T00:00:00Z",
        user="kim@desk",
        toolkit_image="busybox:1.37.0-musl",
        ttl_seconds=3600,
        quarantine=draw(st.sampled_from([None, labels.keys(known.values())])),
        selectors=known,
        wishes=replace(wished, claims=()) if scout else wished,
        claims={name: {"spec": {**_CLAIM, "accessModes": modes}} for name in names(pod).values()},
        scout=scout,
        script="echo $$1",
    )
    argv = () if scout else draw(st.sampled_from([("/srv/app",), ("sh", "-c", "$(A) it's")]))
    return Case(pod, target, Command(argv, "spec"), choices)
