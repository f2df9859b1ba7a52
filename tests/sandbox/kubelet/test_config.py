"""The pure parts of a container's configuration: variables, fields, security, resources, images."""

from base64 import b64encode
from typing import Any

import pytest

from rescue.sandbox.kubelet import quantities
from rescue.sandbox.kubelet.env import ConfigError, environment, service_variables
from rescue.sandbox.kubelet.expand import expand
from rescue.sandbox.kubelet.fields import field_value, resource_value
from rescue.sandbox.kubelet.images import Image, normalised
from rescue.sandbox.kubelet.launch import CreateError, command_line, credentials
from rescue.sandbox.kubelet.security import check_nonroot, resource_options, security_options
from rescue.sandbox.kubelet.wording import start_error
from rescue.sandbox.store import Object
from tests.sandbox.kubelet import recorded
from tests.sandbox.kubelet.pods import config_map, container, pod, service

POD = pod("p") | {"metadata": {"name": "p", "namespace": "default", "uid": "u", "labels": {"a": 'x"y', "b": "2"}}}
OBJECTS = {
    ("configmaps", "m"): config_map("m", {"k": "v"}),
    ("secrets", "s"): {"kind": "Secret", "data": {"k": b64encode(b"hidden").decode()}},
}


def lookup(resource: str, name: str) -> Object | None:
    """The objects that the variables refer to."""
    return OBJECTS.get((resource, name))


def variables(*entries: Object, **fields: Any) -> dict[str, str]:
    """The environment that these entries make."""
    return environment(POD, container(env=list(entries), **fields), lookup, [], {"memory": "8Gi"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [("$(A)", "1"), ("$$(A)", "$(A)"), ("$(B)", "$(B)"), ("a$(A)b$(A", "a1b$(A"), ("$A $", "$A $"), ("$$$(A)", "$1")],
)
def test_references_expand_as_in_kubernetes(text: str, expected: str) -> None:
    assert expand(text, {"A": "1"}) == expected


def test_a_missing_object_is_the_recorded_error() -> None:
    status = recorded.pod("config-error")["last"]["status"]["containerStatuses"][0]
    entry = recorded.pod("config-error")["last"]["spec"]["containers"][0]["env"][0]
    with pytest.raises(ConfigError) as caught:
        variables(entry)
    assert str(caught.value) == status["state"]["waiting"]["message"]


def test_a_missing_key_is_named_with_its_object() -> None:
    with pytest.raises(ConfigError, match="couldn't find key x in Secret default/s"):
        variables({"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "x"}}})


def test_optional_references_leave_the_variable_out() -> None:
    optional = {"name": "nope", "key": "k", "optional": True}
    assert variables({"name": "A", "valueFrom": {"configMapKeyRef": optional}}) == {}
    assert variables(envFrom=[{"configMapRef": {"name": "nope", "optional": True}}]) == {}


def test_env_wins_over_env_from_and_may_use_it() -> None:
    found = variables(
        {"name": "P_k", "value": "own"},
        {"name": "B", "value": "$(P_k)-$(k)"},
        envFrom=[{"prefix": "P_", "configMapRef": {"name": "m"}}, {"secretRef": {"name": "s"}}],
    )
    assert found == {"P_k": "own", "k": "hidden", "B": "own-hidden"}


def test_a_service_has_its_link_variables() -> None:
    assert service_variables(service("my-web", "10.96.0.1", 80, 8080)) == {
        "MY_WEB_SERVICE_HOST": "10.96.0.1",
        "MY_WEB_SERVICE_PORT": "80",
        "MY_WEB_PORT": "tcp://10.96.0.1:80",
        "MY_WEB_PORT_80_TCP": "tcp://10.96.0.1:80",
        "MY_WEB_PORT_80_TCP_PROTO": "tcp",
        "MY_WEB_PORT_80_TCP_PORT": "80",
        "MY_WEB_PORT_80_TCP_ADDR": "10.96.0.1",
    }


def test_service_links_can_be_switched_off() -> None:
    silent = POD | {"spec": POD["spec"] | {"enableServiceLinks": False}}
    services = [service("web", "10.96.0.1", 80, 8080)]
    assert environment(silent, container(), lookup, services, {}) == {}
    assert "WEB_SERVICE_HOST" in environment(POD, container(), lookup, services, {})


def test_fields_of_the_pod() -> None:
    assert field_value(POD, "metadata.name") == "p"
    assert field_value(POD, "metadata.labels['b']") == "2"
    assert field_value(POD, "metadata.labels") == 'a="x\\"y"\nb="2"'
    assert field_value(POD, "metadata.annotations['none']") == ""


@pytest.mark.parametrize(
    ("resource", "divisor", "expected"),
    [("limits.memory", "1", "67108864"), ("limits.memory", "1Mi", "64"), ("requests.cpu", "1", "1"),
     ("requests.cpu", "1m", "250"), ("limits.cpu", "1", "4")],
)  # fmt: skip
def test_resources_are_counted_in_divisors_and_rounded_up(resource: str, divisor: str, expected: str) -> None:
    limited = container(resources={"limits": {"memory": "64Mi"}, "requests": {"cpu": "250m"}})
    reference = {"resource": resource, "divisor": divisor}
    assert resource_value(pod("p", limited), "app", reference, {"cpu": "4"}) == expected


def test_the_refusal_of_root_is_the_recorded_one() -> None:
    recording = recorded.pod("nonroot")["last"]
    with pytest.raises(ConfigError) as caught:
        check_nonroot(recording, recording["spec"]["containers"][0], image_user="")
    message = recording["status"]["containerStatuses"][0]["state"]["waiting"]["message"]
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("context", "image_user", "words"),
    [({"runAsUser": 0}, "1000", "runAsUser breaks non-root policy"), ({}, "web", "non-numeric user \\(web\\)")],
)
def test_other_ways_to_be_root_are_refused(context: Object, image_user: str, words: str) -> None:
    careful = container(securityContext={"runAsNonRoot": True} | context)
    with pytest.raises(ConfigError, match=words):
        check_nonroot(POD, careful, image_user)


def test_a_known_user_is_accepted() -> None:
    check_nonroot(POD, container(securityContext={"runAsNonRoot": True, "runAsUser": 1}), "")
    check_nonroot(POD, container(securityContext={"runAsNonRoot": True}), "1000:1000")


def test_capabilities_are_never_added_for_other_users() -> None:
    context = {"runAsUser": 1000, "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["KILL"]}}
    options = security_options(POD, container(securityContext=context), "")
    assert "--cap-add" not in options
    assert options[options.index("--cap-drop") + 1] == "KILL"


def test_limits_become_hard_and_requests_shares() -> None:
    resources = {"limits": {"memory": "32Mi", "cpu": "1500m"}, "requests": {"cpu": "500m"}}
    assert resource_options(container(resources=resources)) == [
        "--memory", "33554432", "--memory-swap", "33554432", "--cpus", "1.5", "--cpu-shares", "512"
    ]  # fmt: skip
    assert resource_options(container()) == ["--cpu-shares", "2"]


@pytest.mark.parametrize(
    ("entrypoint", "cmd", "command", "args", "expected"),
    [
        (("e",), ("c",), None, None, ["e", "c"]),
        (("e",), ("c",), None, ["a"], ["e", "a"]),
        (("e",), ("c",), ["k"], None, ["k"]),
        (("e",), ("c",), ["k"], ["$(A)"], ["k", "1"]),
    ],
)
def test_command_and_args_replace_the_images(
    entrypoint: tuple[str, ...],
    cmd: tuple[str, ...],
    command: list[str] | None,
    args: list[str] | None,
    expected: list[str],
) -> None:
    image = Image("i", "sha256:1", "", entrypoint, cmd, "SIGTERM", 1)
    assert command_line({"command": command, "args": args}, image, {"A": "1"}) == expected


def test_nothing_to_run_is_an_error() -> None:
    with pytest.raises(CreateError, match="no command specified"):
        command_line({}, Image("i", "sha256:1", "", (), (), "SIGTERM", 1), {})


def test_podmans_words_become_containerds() -> None:
    text = (
        "runc: runc create failed: unable to start container process: "
        'exec: "/usr/bin/serve": stat /usr/bin/serve: no such file or directory: '
        "OCI runtime attempted to invoke a command that was not found"
    )
    entry = recorded.pod("no-command")["last"]["status"]["containerStatuses"][0]
    assert start_error(text) == entry["lastState"]["terminated"]["message"]


@pytest.mark.parametrize(
    ("reference", "full"),
    [
        ("busybox", "docker.io/library/busybox:latest"),
        ("busybox:1.36", "docker.io/library/busybox:1.36"),
        ("me/app:2", "docker.io/me/app:2"),
        ("example.com/crash:1", "example.com/crash:1"),
        ("host:5000/a", "host:5000/a:latest"),
        ("localhost/a:1", "localhost/a:1"),
        ("a@sha256:12", "docker.io/library/a@sha256:12"),
    ],
)
def test_image_names_are_completed(reference: str, full: str) -> None:
    assert normalised(reference) == full


def test_credentials_are_read_from_proc() -> None:
    assert credentials("Name:\tx\nUid:\t1\t1\t1\t1\nGid:\t2\t2\t2\t2\nGroups:\t2 3 \n") == (1, 2, (2, 3))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["64Mi"], "64Mi"),
        (["64Mi", "64Mi"], "128Mi"),
        (["0.5", "500m"], "1"),
        (["100m", "250m"], "350m"),
        (["1Gi", "1Mi"], "1025Mi"),
    ],
)
def test_quantities_add_up(texts: list[str], expected: str) -> None:
    assert quantities.total(texts) == expected
