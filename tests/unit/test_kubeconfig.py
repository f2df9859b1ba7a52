"""A kubeconfig that is none, or does not fit together, is wrong usage and said in words."""

import json
from pathlib import Path
from typing import Any

import pytest

from rescue.errors import ExitCode, RescueError
from rescue.kube import kubeconfig
from rescue.kube.client import connect

GOOD = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:9"}}],
    "users": [{"name": "u", "user": {"token": "secret"}}],
    "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
    "current-context": "here",
}


def test_the_context_names_the_namespace(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(json.dumps(GOOD))
    cluster = connect(None, None, tmp_path / "config")
    assert (cluster.context, cluster.namespace, cluster.host) == ("here", "shop", "https://127.0.0.1:9")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: [b", "malformed"),
        (b"just text", "malformed"),
        (b"\xff\xfe\x00", "malformed"),
        (b"", "no cluster is configured"),
        (b"clusters: 1", "malformed"),
    ],
    ids=["cut", "text", "binary", "empty", "no list"],
)
def test_a_file_that_is_no_kubeconfig(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "config").write_bytes(content)
    _refused(tmp_path / "config", words)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"current-context": "zzz"}, "no current context 'zzz' in the kubeconfig"),
        ({"current-context": ""}, "has no current context"),
        ({"clusters": []}, "context 'here' names the cluster 'c', which the kubeconfig does not have"),
        ({"users": []}, "context 'here' names the user 'u', which the kubeconfig does not have"),
        ({"contexts": "x"}, "malformed"),
        ({"contexts": [{"name": "here"}]}, "malformed"),
        ({"users": [{"name": "u", "user": {}}]}, "credentials"),
    ],
    ids=["current context", "no current context", "cluster", "user", "contexts", "context", "credentials"],
)
def test_parts_that_do_not_fit(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    (tmp_path / "config").write_text(json.dumps(GOOD | change))
    _refused(tmp_path / "config", words)


@pytest.mark.parametrize("current", [None, "", "zzz"])
def test_a_context_that_is_named_needs_no_current_one(tmp_path: Path, current: str | None) -> None:
    (tmp_path / "config").write_text(json.dumps(GOOD | {"current-context": current}))
    assert connect("here", None, tmp_path / "config").context == "here"


def test_a_context_that_is_not_there_is_said_with_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(json.dumps(GOOD))
    _refused(tmp_path / "config", "no context 'away' in the kubeconfig", context="away")


@pytest.mark.parametrize("empty", ["/dev/null", "missing"])
def test_of_several_files_the_first_current_context_counts_as_for_kubectl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty: str
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text(json.dumps(GOOD))
    there = {"name": "there", "context": {"cluster": "c", "user": "u"}}
    second.write_text(json.dumps({"contexts": [there], "current-context": "there"}))
    monkeypatch.setattr(kubeconfig, "KUBE_CONFIG_DEFAULT_LOCATION", f"{empty}:{first}:{second}")
    assert connect(None, None).context == "here"
    assert connect("there", None).context == "there"


def _refused(path: Path, words: str, context: str | None = None) -> None:
    with pytest.raises(RescueError, match=words) as refused:
        connect(context, None, path)
    assert refused.value.hint
    assert refused.value.code in (ExitCode.USAGE, ExitCode.CLUSTER)
