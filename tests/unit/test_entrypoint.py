"""The ways to a container's command, in their order; where all fail, every reason is given and nothing is guessed."""

from typing import Any

import pytest

from rescue import entrypoint
from rescue.errors import ExitCode, RescueError
from rescue.kube.errors import ClusterError
from rescue.logins import Logins
from rescue.model import Command
from rescue.oci import Found

DIGEST = "sha256:" + "a" * 64
SEEN = Command(("/seen",), "scout")


class Registry:
    """Stands in for ``find_config``: gives this config, or fails, and keeps what it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, config: Any = None, problems: tuple[str, ...] = ()) -> None:
        self.config = config
        self.asked: tuple[Any, ...] = ()
        monkeypatch.setattr(entrypoint, "find_config", self)
        monkeypatch.setattr(entrypoint, "find_logins", lambda *_: Logins([], list(problems)))

    def __call__(self, *asked: Any) -> Found:
        self.asked = asked
        if self.config is None:
            raise RescueError("the registry does not answer")
        return Found(self.config, "", frozenset())


def pod(**container: Any) -> dict[str, Any]:
    everything = {"name": "web", "image": "shop:1", **container}
    return {"metadata": {"name": "shop"}, "spec": {"containers": [everything]}}


def find(of: dict[str, Any], image: str = "shop:1", override: tuple[str, ...] = (), scout: Any = None) -> Command:
    return entrypoint.find(None, of, of["spec"]["containers"][0], image, override, scout)


def nobody() -> Command:
    raise AssertionError("nothing is created when the command is known")


def blind() -> Command:
    raise RescueError("the cluster refuses it: exceeded quota")


def test_the_users_own_command_comes_first() -> None:
    assert find(pod(command=["/app"]), override=("/mine", "$(X)"), scout=nobody) == Command(
        ("/mine", "$$(X)"), "arguments"
    )


def test_the_pods_command_comes_next_with_its_args(monkeypatch: pytest.MonkeyPatch) -> None:
    Registry(monkeypatch, {"Entrypoint": ["/image"], "Cmd": ["c"]})
    assert find(pod(command=["/app"], args=["$(X)"]), scout=nobody) == Command(("/app", "$(X)"), "spec")
    assert find(pod(command=["/app"]), scout=nobody) == Command(("/app",), "spec"), "CMD is not for another program"
    assert find(pod(command=["/app"], args=None), scout=nobody) == Command(("/app",), "spec")


@pytest.mark.parametrize("command", [None, []])
def test_an_empty_command_is_none(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    Registry(monkeypatch, {"Entrypoint": ["/image"]})
    assert find(pod(command=command, args=["a"]), scout=nobody).argv == ("/image", "a")


def test_the_registry_says_what_its_words_are_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    Registry(monkeypatch, {"Entrypoint": ["/image"], "Cmd": ["$HOME"]})
    pinned = f"registry.example/shop@{DIGEST}"
    assert find(pod(), pinned, scout=nobody) == Command(
        ("/image", "$$HOME"), "registry", f"ENTRYPOINT and CMD of {pinned}, as its registry says"
    )


def test_a_tag_that_nothing_holds_fast_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    Registry(monkeypatch, {"Cmd": ["run"]})
    assert find(pod()).note == "CMD of docker.io/library/shop:1 (as the tag is now), as its registry says"


def test_the_status_says_which_image_must_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry(monkeypatch, {"Cmd": ["run"]})
    running = {**pod(), "status": {"containerStatuses": [{"name": "web", "imageID": DIGEST}]}}
    assert "as the tag is now" not in find(running).note
    assert registry.asked[-1] == DIGEST
    find(running, "other:2")
    assert registry.asked[-1] == "", "an image of the user's choice is not the pod's"


def test_where_the_registry_fails_a_scout_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    Registry(monkeypatch)
    assert find(pod(), scout=lambda: SEEN) == SEEN


def test_an_image_without_a_command_is_not_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    Registry(monkeypatch, {"Entrypoint": [], "Cmd": None})
    with pytest.raises(RescueError) as refused:
        find(pod())
    assert "docker.io/library/shop:1 sets neither ENTRYPOINT nor CMD" in refused.value.message


def test_every_reason_is_given_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    Registry(monkeypatch, problems=("imagePullSecret 'reg': not found",))
    with pytest.raises(RescueError) as refused:
        find(pod(), scout=blind)
    assert refused.value.code is ExitCode.REFUSED
    assert refused.value.message == (
        "container 'web' sets no command, and its image's could not be found: "
        "registry: the registry does not answer; imagePullSecret 'reg': not found; "
        "scout: the cluster refuses it: exceeded quota"
    )
    assert refused.value.hint == "give it after --, as in: rescue pod … -c web -- /path/to/program ARG…"


def test_where_nothing_may_be_created_the_scout_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Registry(monkeypatch)
    with pytest.raises(RescueError) as refused:
        find(pod())
    assert "let `rescue pod` watch it start in a scout pod" in refused.value.hint


def affinity(*groups: list[dict[str, Any]]) -> dict[str, Any]:
    terms = [{"matchExpressions": group} for group in groups]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}


def on(operator: str, *values: str) -> list[dict[str, Any]]:
    return [{"key": "kubernetes.io/arch", "operator": operator, "values": list(values)}]


@pytest.mark.parametrize(
    ("spec", "architecture"),
    [
        ({}, ""),
        ({"nodeSelector": {"kubernetes.io/arch": "arm64"}}, "arm64"),
        ({"affinity": affinity(on("In", "arm64"))}, "arm64"),
        ({"affinity": affinity(on("In", "arm64"), on("In", "arm64"))}, "arm64"),
        ({"affinity": affinity(on("In", "arm64", "amd64"))}, ""),
        ({"affinity": affinity(on("In", "arm64"), on("In", "amd64"))}, ""),
        ({"affinity": affinity(on("In", "arm64"), [])}, ""),
        ({"affinity": affinity(on("NotIn", "arm64"))}, ""),
    ],
)
def test_the_manifest_may_name_the_platform(spec: dict[str, Any], architecture: str) -> None:
    assert entrypoint.architecture(None, {"spec": spec}) == architecture


class Nodes:
    def __init__(self, node: Any) -> None:
        self.node = node

    def get(self, resource: str, namespace: str, name: str) -> Any:
        assert (resource, namespace, name) == ("nodes", "", "node1")
        if self.node is None:
            raise ClusterError("may not get nodes", "", 403)
        return self.node


def test_the_node_knows_its_platform_and_may_be_out_of_sight() -> None:
    of = {"spec": {"nodeName": "node1", "nodeSelector": {"kubernetes.io/arch": "amd64"}}}
    seen: Any = Nodes({"status": {"nodeInfo": {"architecture": "arm64"}}})
    hidden: Any = Nodes(None)
    assert entrypoint.architecture(seen, of) == "arm64"
    assert entrypoint.architecture(hidden, of) == "amd64"
