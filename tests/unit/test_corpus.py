"""Every pod of the corpus, with every container as the target: the clone is valid, harmless and the same program."""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from kubernetes_validate import utils

from rescue.dump import dump
from rescue.manifest import load_all
from rescue.model import JsonObject
from rescue.options import Wishes
from rescue.sandbox import bootstrap, decode, registry, schema
from rescue.sandbox.admission import podsecurity
from rescue.sandbox.resources import BY_PLURAL
from rescue.sandbox.status import ApiError
from rescue.sandbox.store import Store
from rescue.sandbox.validation import metadata, pods
from tests.shapes import containers, names, shape

from .consistent import references, resources, sources
from .faithful import differences
from .harmless import make_plan, problems

PODS = BY_PLURAL["pods"]
LEVELS = ("restricted", "baseline", "privileged")
KEYS = ("app", "app.kubernetes.io/name", "app.kubernetes.io/instance")
SELECTORS: dict[str, JsonObject] = {
    f"ReplicaSet {key}": {"matchExpressions": [{"key": key, "operator": "Exists"}]} for key in KEYS
}
# The ways to plan that the rules tell apart.
WAYS: dict[str, tuple[Wishes, JsonObject]] = {
    "selectors known": (Wishes(), {"quarantine": frozenset(KEYS), "selectors": SELECTORS}),
    "target alone": (Wishes(only_target=True), {}),
    "own identity": (Wishes(identity=False), {}),
    "little": (Wishes(minimal_requests=True, memory="8Mi"), {}),
    "scout": (Wishes(), {"scout": True, "script": "echo"}),
}
# Windows, and volumes that no cluster has any more.
UNSEEN = {
    "windowsOptions", "flocker", "gitRepo", "photonPersistentDisk", "portworxVolume", "quobyte", "scaleIO", "storageos",
}  # fmt: skip
PARTS = (
    "PodSpec", "Container", "Volume", "VolumeMount", "VolumeProjection", "EnvVarSource", "Affinity", "Probe",
    "ContainerPort", "ResourceRequirements", "SecurityContext", "PodSecurityContext",
)  # fmt: skip

every_shape = pytest.mark.parametrize("name", names())


@cache
def clones(name: str, way: str = "") -> dict[str, JsonObject]:
    """The clone of a shape for each container of it; nobody may change them."""
    pod, (wishes, choices) = shape(name), WAYS.get(way, (None, {}))
    return {each["name"]: make_plan(pod, each["name"], wishes, **choices).clone for each in containers(pod)}


def misfits(pod: JsonObject) -> list[str]:
    """What the published schema says against a manifest, if anything."""
    try:
        utils.validate(pod, schema.VERSION, strict=True)
    except utils.ValidationError as error:
        return [f"{'.'.join(map(str, error.path))}: {error.message}"]
    return []


@pytest.fixture(scope="module")
def store() -> Store:
    """A cluster with the namespaces and service accounts of the corpus."""
    made = Store()
    bootstrap.fill(made, "CA", 6443)
    for pod in map(shape, names()):
        _ensure(made, "namespaces", "", pod["metadata"]["namespace"])
        _ensure(made, "serviceaccounts", pod["metadata"]["namespace"], pod["spec"].get("serviceAccountName", "default"))
    return made


def _ensure(store: Store, plural: str, namespace: str, name: str) -> None:
    resource = BY_PLURAL[plural]
    document = {"apiVersion": "v1", "kind": resource.kind, "metadata": {"name": name}}
    try:
        registry.create(store, registry.Target(resource, namespace), document, registry.Options())
    except ApiError as error:
        if error.code != 409:
            raise


def refusal(store: Store, clone: JsonObject) -> str:
    """What the API server says to a dry run of creating the clone; empty when it takes it."""
    target = registry.Target(PODS, clone["metadata"]["namespace"])
    try:
        registry.create(store, target, clone, registry.Options(dry_run=True, field_validation="Strict"))
    except ApiError as error:
        return str(error)
    return ""


def level(pod: JsonObject) -> str:
    """The strictest Pod Security Standard that the pod satisfies."""
    store, here = Store(), {"metadata": {**pod["metadata"], "namespace": "here"}, "spec": pod["spec"]}
    for found in LEVELS:
        labels = {"pod-security.kubernetes.io/enforce": found}
        store.create("namespaces", {"metadata": {"name": found, "labels": labels}})
        here["metadata"]["namespace"] = found
        try:
            podsecurity.review(store, here)
        except ApiError:
            continue
        return found
    raise AssertionError("every pod is privileged at least")


def test_the_corpus_is_large_and_has_every_field_that_a_pod_can_have() -> None:
    assert len(names()) >= 45
    seen = {key for name in names() for key in _keys(shape(name))}
    known = {key for part in PARTS for key in schema.definitions()[f"io.k8s.api.core.v1.{part}"]["properties"]}
    assert known - seen == UNSEEN


def _keys(node: Any) -> set[str]:
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return {key for item in inner for key in _keys(item)} | (set(node) if isinstance(node, dict) else set())


@every_shape
def test_a_shape_is_one_that_a_server_has_returned(name: str) -> None:
    pod = shape(name)
    assert misfits(pod) == []
    decoded, unknown = decode.decode(pod, PODS)
    assert unknown == []
    errors = [*pods.spec_errors(decoded["spec"], "spec", on_create=False), *metadata.errors(decoded["metadata"], PODS)]
    assert errors == []
    assert [*references(pod), *resources(pod), *sources(pod)] == []
    assert {"uid", "resourceVersion", "creationTimestamp"} <= pod["metadata"].keys()
    assert pod["status"]["phase"] in ("Running", "Pending", "Failed")


def said(name: str, judge: Callable[[str, JsonObject], Any], way: str = "") -> dict[str, Any]:
    """What a judge says of the clones of a shape, by container; empty when it has nothing to say."""
    found = {container: judge(container, clone) for container, clone in clones(name, way).items()}
    return {container: words for container, words in found.items() if words}


@every_shape
def test_a_clone_hurts_nobody(name: str) -> None:
    assert said(name, lambda _, clone: problems(clone)) == {}


@every_shape
def test_a_clone_is_the_same_program(name: str) -> None:
    assert said(name, lambda container, clone: differences(shape(name), clone, container)) == {}


@every_shape
def test_a_clone_is_valid(name: str, store: Store) -> None:
    assert said(name, lambda _, clone: misfits(clone)) == {}
    assert said(name, lambda _, clone: refusal(store, clone)) == {}
    assert said(name, lambda _, clone: load_all(dump(clone), name) != [clone]) == {}


@every_shape
def test_a_clone_satisfies_the_pod_security_standard_of_its_original(name: str) -> None:
    worse = LEVELS[LEVELS.index(level(shape(name))) + 1 :]
    assert said(name, lambda _, clone: level(clone) in worse) == {}


@pytest.mark.parametrize("way", WAYS)
@every_shape
def test_a_clone_is_valid_and_hurts_nobody_whatever_the_user_wishes(name: str, way: str, store: Store) -> None:
    known = WAYS[way][1].get("selectors")
    assert said(name, lambda _, clone: problems(clone, known and known.values()), way) == {}
    assert said(name, lambda _, clone: refusal(store, clone), way) == {}


def test_planning_does_not_touch_the_original() -> None:
    before = {name: json.dumps(shape(name)) for name in names()}
    for name in names():
        clones.__wrapped__(name)
    assert {name: json.dumps(shape(name)) for name in names()} == before
