"""Refusals beyond the recorded requests; the words are those of Kubernetes' own validation."""

from typing import Any

import pytest

from rescue import quantity
from rescue.sandbox import bootstrap, defaults, registry, selectors
from rescue.sandbox.objects import Object
from rescue.sandbox.registry import Options, Target
from rescue.sandbox.resources import BY_PLURAL
from rescue.sandbox.status import ApiError
from rescue.sandbox.store import Store

PODS = BY_PLURAL["pods"]


@pytest.fixture
def store() -> Store:
    made = Store()
    bootstrap.fill(made, "CA", 6443)
    return made


def refusal(store: Store, body: Object, plural: str = "pods") -> ApiError:
    with pytest.raises(ApiError) as refused:
        target = Target(BY_PLURAL[plural], "default")
        registry.create(store, target, {"metadata": {"name": "x"}} | body, Options(field_validation="Strict"))
    return refused.value


def container(**fields: Any) -> Object:
    return {"name": "a", "image": "busybox:1.36"} | fields


NO_HOOK = "may not be set for init containers without restartPolicy=Always"
PROBE = {"exec": {"command": ["true"]}}


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ({"containers": [{"name": "a"}]}, "spec.containers[0].image: Required value"),
        ({"containers": [{"image": "i"}]}, "spec.containers[0].name: Required value"),
        (
            {"containers": [container(livenessProbe={})]},
            "spec.containers[0].livenessProbe: Required value: must specify a handler type",
        ),
        (
            {"containers": [container(livenessProbe=PROBE | {"tcpSocket": {"port": 1}})]},
            "spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
        ),
        (
            {"initContainers": [container(livenessProbe=PROBE)], "containers": [container(name="b")]},
            f"spec.initContainers[0].livenessProbe: Forbidden: {NO_HOOK}",
        ),
        (
            {"containers": [container(ports=[{"containerPort": 70000}])]},
            "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        ),
        (
            {"containers": [container(imagePullPolicy="Sometimes")]},
            'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes":'
            ' supported values: "Always", "IfNotPresent", "Never"',
        ),
        (
            {"containers": [container()], "volumes": [{"name": "v", "configMap": {}}]},
            "spec.volumes[0].configMap.name: Required value",
        ),
        (
            {"containers": [container()], "volumes": [{"name": "v"}, {"name": "v"}]},
            'spec.volumes[1].name: Duplicate value: "v"',
        ),
        (
            {"containers": [container(env=[{"name": "1A"}])]},
            'spec.containers[0].env[0].name: Invalid value: "1A": a valid environment variable name must consist of',
        ),
    ],
)
def test_pod_complaints(store: Store, spec: Object, complaint: str) -> None:
    refused = refusal(store, {"spec": spec})
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert complaint in refused.message
    assert refused.details is not None and len(refused.details["causes"]) == 1


def test_several_complaints_are_listed(store: Store) -> None:
    refused = refusal(store, {"spec": {"containers": [{"name": "a"}], "restartPolicy": "No"}})
    assert refused.message.startswith(
        'Pod "x" is invalid: [spec.containers[0].image: Required value, spec.restartPolicy:'
    )


@pytest.mark.parametrize(
    ("body", "seen", "field", "wanted"),
    [
        ({"spec": {"containers": [container(command="x")]}}, "string", "Container.spec.containers.command", "[]string"),
        ({"spec": {"activeDeadlineSeconds": "1"}}, "string", "PodSpec.spec.activeDeadlineSeconds", "int64"),
        ({"metadata": {"labels": {"a": 1}}}, "number", "ObjectMeta.metadata.labels", "string"),
        ({"spec": {"containers": [container(tty="yes")]}}, "string", "Container.spec.containers.tty", "bool"),
        ({"spec": {"containers": {}}}, "object", "PodSpec.spec.containers", "[]v1.Container"),
    ],
)
def test_values_of_a_wrong_type(store: Store, body: Object, seen: str, field: str, wanted: str) -> None:
    go = f"json: cannot unmarshal {seen} into Go struct field {field} of type {wanted}"
    assert refusal(store, body).message == f'Pod in version "v1" cannot be handled as a Pod: {go}'


def test_every_unknown_field_is_named(store: Store) -> None:
    refused = refusal(store, {"spec": {"containers": [container(imge="x")], "contaners": []}})
    assert 'unknown field "spec.containers[0].imge", unknown field "spec.contaners"' in refused.message


@pytest.mark.parametrize(
    ("plural", "body", "complaint"),
    [
        ("configmaps", {"data": {"a b": "1"}}, 'data[a b]: Invalid value: "a b": a valid config key must consist of'),
        ("services", {"spec": {}}, "spec.ports: Required value"),
        ("jobs", {"spec": {"template": {"spec": {"containers": [container()]}}}}, "spec.template.spec.restartPolicy"),
        (
            "deployments",
            {"spec": {"template": {"spec": {"containers": [container()]}}}},
            "spec.selector: Required value",
        ),
    ],
)
def test_other_kinds(store: Store, plural: str, body: Object, complaint: str) -> None:
    assert complaint in refusal(store, body, plural).message


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("a", "Always"),
        ("a:latest", "Always"),
        ("a:1", "IfNotPresent"),
        ("h:5000/a", "Always"),
        ("a@sha256:0", "IfNotPresent"),
    ],
)
def test_the_default_pull_policy_depends_on_the_tag(image: str, policy: str) -> None:
    assert defaults.pull_policy(image) == policy


def test_templates_get_the_defaults_of_pods_but_not_their_own_admission() -> None:
    template = {"spec": {"containers": [container(readinessProbe={"httpGet": {"port": 80}})]}}
    made = defaults.apply({"metadata": {}, "spec": {"template": template}}, BY_PLURAL["deployments"])
    spec = made["spec"]["template"]["spec"]
    assert spec["containers"][0]["readinessProbe"]["httpGet"] == {"port": 80, "path": "/", "scheme": "HTTP"}
    assert "tolerations" not in spec and "enableServiceLinks" not in spec
    assert made["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": "25%", "maxSurge": "25%"}


@pytest.mark.parametrize(
    ("text", "value"), [("128Mi", 2**27), ("1k", 1000), ("250m", 0.25), ("1e3", 1000), ("0.5Gi", 2**29), ("-1", -1)]
)
def test_quantities(text: str, value: float) -> None:
    assert float(quantity.parse(text)) == value


@pytest.mark.parametrize("text", ["", "64Mb", "1.2.3", "Mi", "one"])
def test_what_is_not_a_quantity(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        quantity.parse(text)


@pytest.mark.parametrize(
    ("selector", "labels", "result"),
    [
        ("a=1", {"a": "1"}, True),
        ("a==1,b", {"a": "1"}, False),
        ("a!=1", {}, True),
        ("a notin (1,2)", {"a": "3"}, True),
        ("a in (1, 2)", {"a": "2"}, True),
        ("!a", {"a": ""}, False),
        ("a=", {"a": ""}, True),
        ("n>4,n<6", {"n": "5"}, True),
        ("example.com/a=x.y", {"example.com/a": "x.y"}, True),
        ("", {"a": "1"}, True),
    ],
)
def test_label_selectors(selector: str, labels: dict[str, str], result: bool) -> None:
    assert selectors.matches(selectors.parse_labels(selector), labels) is result


@pytest.mark.parametrize("selector", ["a in 1", "a in (1", "=1", "a b", "a,", "!", "a=(", ","])
def test_selectors_that_cannot_be_read(selector: str) -> None:
    with pytest.raises(ApiError, match="unable to parse requirement"):
        selectors.parse_labels(selector)


def test_no_selector_matches_nothing() -> None:
    assert not selectors.matches(selectors.requirements(None), {"a": "1"})
