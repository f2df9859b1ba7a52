"""From a path to its volume and key, from an address to its Service."""

from typing import Any

import pytest

from rescue.diagnosis import addresses, correlate
from rescue.diagnosis.container import Container


def container(mounts: list[dict[str, Any]], volumes: list[dict[str, Any]]) -> Container:
    return Container("app", {"spec": {"containers": [{"name": "app", "volumeMounts": mounts}], "volumes": volumes}})


CONFIG = {"name": "v", "configMap": {"name": "shop"}}
ITEMS = {"name": "v", "configMap": {"name": "shop", "items": [{"key": "app.toml", "path": "conf/main.toml"}]}}
PROJECTED = {
    "name": "v",
    "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}, {"configMap": {"name": "shop"}}]},
}
OBJECTS = {"configMaps": {"shop": ["app.toml", "log.toml"]}, "secrets": {}}


@pytest.mark.parametrize(
    ("path", "mount", "volume", "key", "state"),
    [
        ("/etc/app/app.toml", {"mountPath": "/etc/app"}, CONFIG, "app.toml", "present"),
        ("/etc/app/app.tml", {"mountPath": "/etc/app/"}, CONFIG, "app.tml", "absent"),
        ("/etc/app/..data/app.toml", {"mountPath": "/etc/app"}, CONFIG, "app.toml", "present"),
        ("/etc/app/..2026_01_01_00_00_00.1/x", {"mountPath": "/etc/app"}, CONFIG, "x", "absent"),
        ("/etc/app.toml", {"mountPath": "/etc/app.toml", "subPath": "app.toml"}, CONFIG, "app.toml", "present"),
        ("/etc/app.toml", {"mountPath": "/etc/app.toml", "subPath": "main"}, CONFIG, "main", "absent"),
        ("/etc/app/conf/main.toml", {"mountPath": "/etc/app"}, ITEMS, "app.toml", "present"),
        ("/etc/app/log.toml", {"mountPath": "/etc/app"}, ITEMS, "log.toml", "unprojected"),
        ("/etc/app/other", {"mountPath": "/etc/app"}, ITEMS, "other", "absent"),
        ("/etc/app/other", {"mountPath": "/etc/app"}, PROJECTED, "other", "absent"),
        ("/etc/app/x", {"mountPath": "/etc/app"}, {"name": "v", "configMap": {"name": "gone"}}, "x", "no object"),
    ],
)
def test_key_behind_a_path(path: str, mount: dict[str, Any], volume: dict[str, Any], key: str, state: str) -> None:
    place = correlate.place(path, container([{"name": "v", **mount}], [volume]))
    found = correlate.key(place, OBJECTS)
    assert found is not None
    assert (found.name, found.state) == (key, state)


def test_longest_mount_wins_and_a_similar_name_is_not_below_it() -> None:
    both = container(
        [{"name": "v", "mountPath": "/etc"}, {"name": "w", "mountPath": "/etc/app"}],
        [CONFIG, {"name": "w", "emptyDir": {}}],
    )
    assert correlate.place("/etc/app/x", both).volume == "w"
    assert correlate.place("/etc/apple", both).volume == "v"
    assert correlate.place("/opt/x", both).kind == ""


def test_secrets_that_could_not_be_read_are_unknown() -> None:
    volume = {"name": "v", "secret": {"secretName": "tls", "defaultMode": 0o400}}
    place = correlate.place("/tls/key", container([{"name": "v", "mountPath": "/tls"}], [volume]))
    found = correlate.key(place, {"secrets": {}, "unreadable": {"secrets": "forbidden"}})
    assert found is not None and (found.state, found.object, found.mode) == ("unknown", "tls", 0o400)


def test_claim_has_no_keys() -> None:
    volume = {"name": "v", "persistentVolumeClaim": {"claimName": "data"}}
    place = correlate.place("/data/x", container([{"name": "v", "mountPath": "/data"}], [volume]))
    assert (place.kind, place.sources[0].name, correlate.key(place, OBJECTS)) == ("PersistentVolumeClaim", "data", None)


def test_nearest_key_of_a_typo() -> None:
    assert correlate.nearest("app.tml", ["app.toml", "log.toml"]) == "app.toml"
    assert correlate.nearest("cert.pem", ["app.toml"]) == ""


POD = {
    "metadata": {"namespace": "shop"},
    "spec": {"containers": [{"name": "proxy", "ports": [{"containerPort": 15001}]}]},
}
CLUSTER = {
    "services": [
        {"name": "db", "clusterIP": "10.96.0.7", "ports": [{"port": 5432}], "selector": {"app": "db"}},
        {"name": "web", "clusterIP": "10.96.0.8", "clusterIPs": ["10.96.0.8", "fd00::8"], "ports": [{"port": 80}],
         "selector": {"app": "web"}},
        {"name": "bare", "clusterIP": "None", "ports": []},
    ],
    "pods": [
        {"name": "db-0", "ip": "10.244.0.9", "labels": {"app": "db", "x": "y"}, "ready": False},
        {"name": "web-0", "ip": "10.244.0.10", "labels": {"app": "web"}, "ready": True},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("host", "port", "description", "problem"),
    [
        ("10.96.0.7", 5432, "Service db", "None of its 1 pod(s) is ready."),
        ("db.shop.svc", 5433, "Service db", "It serves port 5432, not 5433."),
        ("fd00::8", 80, "Service web", ""),
        ("bare", 1, "Service bare", "It has no selector."),
        ("10.244.0.9", 5432, "Pod db-0", "It is not ready."),
        ("127.0.0.1", 15001, "the pod itself (loopback)", "Container proxy of this pod declares the port."),
        ("localhost", 1, "the pod itself (loopback)", "No container of this pod declares the port."),
        ("192.0.2.1", 80, "", ""),
    ],
)
def test_peer(host: str, port: int, description: str, problem: str) -> None:
    assert addresses.peer(host, port, CLUSTER, POD) == addresses.Peer(description, problem)


def test_service_without_pods_has_nothing_behind_it() -> None:
    found = addresses.peer("db", 5432, {**CLUSTER, "pods": []}, POD)
    assert found.problem == "No pod matches its selector, so nothing is behind it."


def test_similar_service_names() -> None:
    assert addresses.similar_service("web1.shop.svc", CLUSTER) == "web"
    assert addresses.has_service("db.other", CLUSTER) and not addresses.has_service("dbs", CLUSTER)
