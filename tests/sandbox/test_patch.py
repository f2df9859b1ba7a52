"""Patches of a Deployment and a Pod, by the published merge keys."""

from typing import Any

import pytest

from rescue.sandbox import patch
from rescue.sandbox.objects import Object
from rescue.sandbox.resources import BY_PLURAL
from rescue.sandbox.status import ApiError

POD = BY_PLURAL["pods"]


def pod() -> Object:
    return {
        "metadata": {"name": "p", "labels": {"a": "1"}, "finalizers": ["x"]},
        "spec": {
            "containers": [
                {"name": "one", "image": "i:1", "env": [{"name": "A", "value": "1"}], "command": ["a", "b"]},
                {"name": "two", "image": "i:2"},
            ],
            "volumes": [{"name": "v", "emptyDir": {}}],
        },
    }


def strategic(change: Object) -> Object:
    return patch.apply(pod(), change, patch.STRATEGIC, POD)


@pytest.mark.parametrize(
    ("change", "path", "expected"),
    [
        ({"metadata": {"labels": {"b": "2"}}}, ("metadata", "labels"), {"a": "1", "b": "2"}),
        ({"metadata": {"labels": {"a": None}}}, ("metadata", "labels"), {}),
        ({"metadata": {"labels": {"$patch": "replace", "c": "3"}}}, ("metadata", "labels"), {"c": "3"}),
        ({"metadata": {"finalizers": ["y", "x"]}}, ("metadata", "finalizers"), ["x", "y"]),
        ({"metadata": {"$deleteFromPrimitiveList/finalizers": ["x"]}}, ("metadata", "finalizers"), []),
        (
            {"spec": {"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/"}}]}},
            ("spec", "volumes"),
            [{"name": "v", "hostPath": {"path": "/"}}],
        ),
    ],
)
def test_strategic_merge_of_maps_and_lists(change: Object, path: tuple[str, str], expected: Any) -> None:
    assert strategic(change)[path[0]][path[1]] == expected


def test_list_items_merge_by_their_key() -> None:
    one = {"name": "one", "image": "i:9", "env": [{"name": "B", "value": "2"}], "command": ["c"]}
    merged = strategic({"spec": {"containers": [one, {"name": "three", "image": "i:3"}]}})["spec"]["containers"]
    assert [container["name"] for container in merged] == ["one", "two", "three"]
    assert merged[0]["image"] == "i:9"
    assert merged[0]["env"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    assert merged[0]["command"] == ["c"], "a list without a merge key is replaced"


def test_list_items_are_deleted_replaced_and_ordered() -> None:
    gone = strategic({"spec": {"containers": [{"name": "one", "$patch": "delete"}]}})
    assert [c["name"] for c in gone["spec"]["containers"]] == ["two"]
    all_new = strategic({"spec": {"containers": [{"$patch": "replace"}, {"name": "new", "image": "i"}]}})
    assert all_new["spec"]["containers"] == [{"name": "new", "image": "i"}]
    order = {"$setElementOrder/containers": [{"name": "two"}, {"name": "one"}]}
    assert [c["name"] for c in strategic({"spec": order})["spec"]["containers"]] == ["two", "one"]


def test_a_merge_patch_replaces_lists() -> None:
    changed = patch.apply(pod(), {"spec": {"containers": [], "volumes": None}}, patch.MERGE, POD)
    assert changed["spec"] == {"containers": []}


def test_a_json_patch_is_applied_in_order_and_leaves_the_original_alone() -> None:
    original = pod()
    steps = [
        {"op": "test", "path": "/metadata/name", "value": "p"},
        {"op": "remove", "path": "/spec/containers/0"},
        {"op": "replace", "path": "/spec/containers/0/image", "value": "i:9"},
    ]
    changed = patch.apply(original, steps, patch.JSON, POD)
    assert changed["spec"]["containers"] == [{"name": "two", "image": "i:9"}]
    assert original == pod()


@pytest.mark.parametrize(
    ("change", "media_type", "code"),
    [
        ([{"op": "remove", "path": "/nothing"}], patch.JSON, 422),
        ([{"op": "jump", "path": "/metadata"}], patch.JSON, 422),
        ({}, patch.JSON, 400),
        ([], patch.MERGE, 400),
        ("x", patch.STRATEGIC, 400),
        ({"spec": {"containers": [{"image": "no name"}]}}, patch.STRATEGIC, 400),
        ({}, "text/plain", 415),
    ],
)
def test_refused_patches(change: Any, media_type: str, code: int) -> None:
    with pytest.raises(ApiError) as refused:
        patch.apply(pod(), change, media_type, POD)
    assert refused.value.code == code
