"""The store: versions, locks, deletion marks, watches."""

import pytest

from rescue.sandbox import objects, store
from rescue.sandbox.events import record
from rescue.sandbox.store import AlreadyExists, Conflict, Expired, NotFound, Object, Store


def pod(name: str = "a", **meta: object) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "ns"} | meta,
        "spec": {"containers": [{"name": "c"}]},
    }


async def changes(watch: store.Watch) -> list[tuple[str, str]]:
    """What is queued so far, as (type, name)."""
    watch.close()
    return [(event.type, event.object["metadata"]["name"]) async for event in watch]


def test_create_fills_in_metadata_and_refuses_a_second_one() -> None:
    cluster = Store()
    made = cluster.create("pods", pod())
    assert made["metadata"]["resourceVersion"] == str(cluster.version)
    assert made["metadata"]["generation"] == 1
    assert made["metadata"]["uid"] and made["metadata"]["creationTimestamp"]
    with pytest.raises(AlreadyExists):
        cluster.create("pods", pod())


def test_generate_name_adds_five_characters() -> None:
    made = Store().create("pods", {"metadata": {"generateName": "job-", "namespace": "ns"}})
    assert len(made["metadata"]["name"]) == len("job-") + 5


def test_what_is_read_can_be_changed_without_harm() -> None:
    cluster = Store()
    cluster.create("pods", pod())
    cluster.get("pods", "ns", "a")["spec"]["containers"].clear()
    assert cluster.list("pods")[0]["spec"]["containers"] == [{"name": "c"}]


def test_list_is_sorted_and_by_namespace() -> None:
    cluster = Store()
    for name in "ba":
        cluster.create("pods", pod(name))
    cluster.create("pods", pod("c", namespace="other"))
    assert [p["metadata"]["name"] for p in cluster.list("pods", "ns")] == ["a", "b"]
    assert len(cluster.list("pods")) == 3


def test_update_locks_counts_the_generation_and_skips_no_change() -> None:
    cluster = Store()
    made = cluster.create("pods", pod())
    same = cluster.update("pods", made)
    assert same["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    new = cluster.update("pods", made | {"spec": {"containers": []}})
    assert new["metadata"]["generation"] == 2
    with pytest.raises(Conflict):
        cluster.update("pods", made | {"spec": {}})
    with pytest.raises(NotFound):
        cluster.update("pods", pod("gone"))


def test_update_status_leaves_the_rest_alone() -> None:
    cluster = Store()
    cluster.create("pods", pod())
    new = cluster.update_status("pods", "ns", "a", {"phase": "Running"})
    assert new["status"] == {"phase": "Running"}
    assert new["metadata"]["generation"] == 1


def test_mark_deleted_can_only_shorten_the_grace() -> None:
    cluster = Store()
    cluster.create("pods", pod())
    assert cluster.mark_deleted("pods", "ns", "a", 30)["metadata"]["generation"] == 2
    assert cluster.mark_deleted("pods", "ns", "a", 60)["metadata"]["deletionGracePeriodSeconds"] == 30
    assert cluster.mark_deleted("pods", "ns", "a", 1)["metadata"]["deletionGracePeriodSeconds"] == 1


def test_finalizers_hold_a_deleted_object() -> None:
    cluster = Store()
    cluster.create("pods", pod(finalizers=["x"]))
    marked = cluster.delete("pods", "ns", "a")
    assert marked["metadata"]["deletionTimestamp"]
    marked["metadata"]["finalizers"] = []
    cluster.update("pods", marked)
    with pytest.raises(NotFound):
        cluster.get("pods", "ns", "a")


async def test_watch_gives_what_follows_the_version() -> None:
    cluster = Store()
    first = cluster.create("pods", pod())
    cluster.create("pods", pod("b"))
    since = cluster.watch("pods", since=int(first["metadata"]["resourceVersion"]))
    fresh = cluster.watch("pods", namespace="ns")
    elsewhere = cluster.watch("pods", namespace="other")
    cluster.update_status("pods", "ns", "b", {"phase": "Running"})
    cluster.delete("pods", "ns", "a")
    cluster.create("configmaps", pod("c"))
    assert await changes(since) == [("ADDED", "b"), ("MODIFIED", "b"), ("DELETED", "a")]
    assert await changes(fresh) == [("MODIFIED", "b"), ("DELETED", "a")]
    assert await changes(elsewhere) == []


def test_watch_from_before_the_history_is_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Expired, match=r"too old resource version: 1 \(\d+\)"):
        Store().watch("pods", since=1)
    monkeypatch.setattr(store, "HISTORY", 2)
    cluster = Store()
    first = cluster.create("pods", pod("a"))
    for name in "bcd":
        cluster.create("pods", pod(name))
    with pytest.raises(Expired):
        cluster.watch("pods", since=int(first["metadata"]["resourceVersion"]))


def test_equal_events_are_counted() -> None:
    cluster = Store()
    made = cluster.create("pods", pod()) | {"spec": {"nodeName": "node1"}}
    for message in ("x", "x", "y"):
        record(cluster, made, "BackOff", message, "Warning", "kubelet", "spec.containers{c}")
    x, y = sorted(cluster.list("events", "ns"), key=lambda event: str(event["message"]))
    assert (x["count"], y["count"]) == (2, 1)
    assert x["source"] == {"component": "kubelet", "host": "node1"}
    assert x["involvedObject"]["fieldPath"] == "spec.containers{c}"


def test_copy_shares_nothing_mutable() -> None:
    original = {"a": [{"b": 1}]}
    other = objects.copy(original)
    other["a"][0]["b"] = 2
    assert original == {"a": [{"b": 1}]}
