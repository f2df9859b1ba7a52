"""A kubeconfig that is none, or does not fit together, is wrong usage and said in words."""

import json
from pathlib import Path
from typing import Any

import pytest

from rescue.errors import ExitCode, RescueError
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
        ({"current-context": "zzz"}, "zzz"),
        ({"clusters": []}, "clusters"),
        ({"contexts": "x"}, "contexts"),
        ({"users": [{"name": "u", "user": {}}]}, "credentials"),
    ],
    ids=["current context", "clusters", "contexts", "users"],
)
def test_parts_that_do_not_fit(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    (tmp_path / "config").write_text(json.dumps(GOOD | change))
    _refused(tmp_path / "config", words)


def _refused(path: Path, words: str) -> None:
    with pytest.raises(RescueError, match=words) as refused:
        connect(None, None, path)
    assert refused.value.hint
    assert refused.value.code in (ExitCode.USAGE, ExitCode.CLUSTER)
