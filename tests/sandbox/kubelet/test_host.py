"""What the kubelet writes on the host: files of volumes, logs, packet rules, names, mounts."""

import os
from pathlib import Path
from typing import Any

import pytest
from dnslib import QTYPE, RCODE, DNSRecord

from rescue.sandbox.kubelet import atomic
from rescue.sandbox.kubelet.cluster import ClusterInfo
from rescue.sandbox.kubelet.dns import reply
from rescue.sandbox.kubelet.env import ConfigError
from rescue.sandbox.kubelet.hostpath import check_host_path
from rescue.sandbox.kubelet.logerror import LogError, log_of
from rescue.sandbox.kubelet.logs import LogOptions, last_text, read
from rescue.sandbox.kubelet.mounts import mount_options
from rescue.sandbox.kubelet.network import hosts_file, resolv_conf
from rescue.sandbox.kubelet.oom import memory_cgroup
from rescue.sandbox.kubelet.payload import File, VolumeError, World, volume_files
from rescue.sandbox.kubelet.proxy import chain_of, fixed_rules, removal, rules
from rescue.sandbox.kubelet.sweep import mounts_of
from rescue.sandbox.store import Object
from tests.sandbox.kubelet import recorded
from tests.sandbox.kubelet.pods import config_map, pod, service

CLUSTER = ClusterInfo(lambda namespace, account: namespace + account)
OWNER = (os.getuid(), os.getgid())


def test_files_change_all_at_once(tmp_path: Path) -> None:
    first = {"a": File(b"1", 0o644), "d/b": File(b"2", 0o400)}
    assert atomic.write(tmp_path, first, OWNER) is True
    before = (tmp_path / "..data").readlink()
    assert ((tmp_path / "a").readlink(), (tmp_path / "d").readlink()) == (Path("..data/a"), Path("..data/d"))
    assert ((tmp_path / "d/b").read_bytes(), (tmp_path / "d/b").stat().st_mode & 0o777) == (b"2", 0o400)
    assert atomic.write(tmp_path, first, OWNER) is False
    assert (tmp_path / "..data").readlink() == before
    assert atomic.write(tmp_path, {"a": File(b"3", 0o644)}, OWNER) is True
    assert (tmp_path / "a").read_bytes() == b"3"
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("..2")) == ["..data", "a"]
    assert not (tmp_path / before).exists()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"configMap": {"name": "none"}}, 'configmap "none" not found'),
        ({"configMap": {"name": "m", "items": [{"key": "x", "path": "x"}]}}, "references non-existent config key: x"),
        ({"secret": {"secretName": "none"}}, 'secret "none" not found'),
    ],
)
def test_what_is_missing_is_named(source: Object, words: str) -> None:
    with pytest.raises(VolumeError, match=words):
        volume_files({"name": "v"} | source, _world())


def test_an_optional_source_may_be_missing() -> None:
    assert volume_files({"name": "v", "configMap": {"name": "none", "optional": True}}, _world()) == {}


def test_a_missing_sub_path_becomes_a_folder_and_none_leaves_the_volume(tmp_path: Path) -> None:
    volumes = {"v": tmp_path / "v"}
    volumes["v"].mkdir()
    mount = {"name": "v", "mountPath": "/x", "subPathExpr": "$(POD)/deep"}
    plain: Object = {"spec": {}}
    options = mount_options(plain, {"volumeMounts": [mount]}, volumes, {}, {"POD": "p"})
    assert f"src={volumes['v']}/p/deep" in options[1]
    assert (volumes["v"] / "p/deep").is_dir()
    (volumes["v"] / "out").symlink_to("/etc")
    with pytest.raises(ConfigError, match="failed to prepare subPath"):
        mount_options(
            {"spec": {}}, {"volumeMounts": [{"name": "v", "mountPath": "/x", "subPath": "out"}]}, volumes, {}, {}
        )


def test_host_paths_are_checked_by_type(tmp_path: Path) -> None:
    assert check_host_path({"path": str(tmp_path / "new"), "type": "DirectoryOrCreate"}).is_dir()
    with pytest.raises(VolumeError, match="is not a file"):
        check_host_path({"path": str(tmp_path), "type": "File"})


async def test_a_log_is_read_without_its_frame(tmp_path: Path) -> None:
    path = tmp_path / "log"
    time = b"2026-11-21T07:46:25.464546301+00:00"
    path.write_bytes(
        time + b" stdout F one\n" + time + b" stderr P tw\n" + time + b" stderr F o\n" + time + b" stdout P end\n"
    )

    async def text(**options: Any) -> bytes:
        return b"".join([chunk async for chunk in read(path, LogOptions(**options), None)])

    assert await text() == b"one\ntwo\nend"
    assert await text(tail_lines=2) == b"two\nend"
    assert await text(tail_lines=1, timestamps=True) == time + b" end"
    assert await text(since=4e9) == b""
    assert last_text(path, 80, 5) == "o\nend"


@pytest.mark.parametrize("name", ["image-pull", "config-error", "nonroot", "init-crash", "gate", "sidecar"])
def test_refusals_of_logs_are_the_recorded_ones(name: str) -> None:
    recording = recorded.pod(name)
    found = recorded.view(recording["last"], recording["last"]["status"], {}, None)
    refused = 0
    for key, entry in recording["logs"].items():
        container, _, previous = key.partition(".")
        observed = next(c for c in found.containers if c.name == container)
        if entry["rc"]:
            refused += 1
            with pytest.raises(LogError) as caught:
                log_of(recording["last"], container, observed, previous=bool(previous))
            assert entry["stderr"] == f"Error from server (BadRequest): {caught.value.message}\n"
        else:
            assert log_of(recording["last"], container, observed, previous=bool(previous)) is not None
    assert refused


def test_a_services_traffic_is_spread_over_ready_pods() -> None:
    pods = [_ready("web", "10.1.0.1"), _ready("web", "10.1.0.2"), _ready("other", "10.1.0.3"), pod("web")]
    text = rules("s", [service("web", "10.96.0.7", 80, 8080)], pods)
    head = f"-A {chain_of('s')} -d 10.96.0.7/32 -p tcp --dport 80"
    assert text.splitlines() == [
        "*nat",
        f":{chain_of('s')} - [0:0]",
        f"{head} -m statistic --mode random --probability 0.500000 -j DNAT --to-destination 10.1.0.1:8080",
        f"{head} -j DNAT --to-destination 10.1.0.2:8080",
        "COMMIT",
    ]


def test_named_ports_are_looked_up_in_the_pod() -> None:
    named = service("web", "10.96.0.7", 80, 0)
    named["spec"]["ports"][0]["targetPort"] = "http"
    one = _ready("web", "10.1.0.1")
    one["spec"]["containers"][0]["ports"] = [{"name": "http", "containerPort": 9000}]
    assert "--to-destination 10.1.0.1:9000" in rules("s", [named], [one])


def test_removal_takes_only_the_sandboxs_rules() -> None:
    saved = (
        f"*nat\n:PREROUTING ACCEPT [0:0]\n:{chain_of('s')} - [0:0]\n"
        f"-A PREROUTING -s 10.1.0.0/24 -m comment --comment dev.rescue.sandbox=s -j {chain_of('s')}\n"
        "-A PREROUTING -m comment --comment dev.rescue.sandbox=s2 -j RETURN\nCOMMIT\n"
    )
    assert removal("s", "nat", saved).splitlines() == [
        "*nat",
        f":{chain_of('s')} - [0:0]",
        f"-D PREROUTING -s 10.1.0.0/24 -m comment --comment dev.rescue.sandbox=s -j {chain_of('s')}",
        f"-X {chain_of('s')}",
        "COMMIT",
    ]
    assert removal("none", "nat", saved) == ""
    assert all("dev.rescue.sandbox=s" in rule for rule in fixed_rules("s", "10.1.0.0/24", "10.96.0.0/16"))


@pytest.mark.parametrize(
    ("name", "code", "addresses"),
    [
        ("web.default.svc.cluster.local", RCODE.NOERROR, ["10.96.0.7"]),
        ("WEB.default.svc.cluster.local", RCODE.NOERROR, ["10.96.0.7"]),
        ("db.default.svc.cluster.local", RCODE.NOERROR, ["10.1.0.9"]),
        ("db-0.db.default.svc.cluster.local", RCODE.NOERROR, ["10.1.0.9"]),
        ("db-1.db.default.svc.cluster.local", RCODE.NXDOMAIN, []),
        ("web.other.svc.cluster.local", RCODE.NXDOMAIN, []),
        ("example.com", RCODE.NXDOMAIN, []),
    ],
)
def test_names_of_services_and_their_pods(name: str, code: int, addresses: list[str]) -> None:
    headless = service("db", "None", 80, 80)
    member = _ready("db", "10.1.0.9")
    member["spec"] |= {"hostname": "db-0", "subdomain": "db"}
    query = DNSRecord.question(name).pack()
    found = DNSRecord.parse(reply(query, [service("web", "10.96.0.7", 80, 80), headless], [member], "cluster.local"))
    assert found.header.rcode == code
    assert [str(answer.rdata) for answer in found.rr if answer.rtype == QTYPE.A] == addresses


def test_resolv_conf_follows_the_policy() -> None:
    host = "nameserver 9.9.9.9\nsearch home\n"
    named = pod("p", dnsConfig={"options": [{"name": "ndots", "value": "2"}], "searches": ["extra"]})
    assert resolv_conf(named, "10.1.0.1", CLUSTER, host) == (
        "search default.svc.cluster.local svc.cluster.local cluster.local extra\nnameserver 10.1.0.1\noptions ndots:2\n"
    )
    assert resolv_conf(pod("p", dnsPolicy="Default"), "10.1.0.1", CLUSTER, host) == host
    own = pod("p", dnsPolicy="None", dnsConfig={"nameservers": ["1.2.3.4"]})
    assert resolv_conf(own, "10.1.0.1", CLUSTER, host) == "nameserver 1.2.3.4\n"


def test_a_member_of_a_subdomain_has_its_full_name() -> None:
    member = pod("db-0", hostname="db-0", subdomain="db")
    assert hosts_file(member, "10.1.0.9", "cluster.local").endswith(
        "10.1.0.9\tdb-0.db.default.svc.cluster.local\tdb-0\n"
    )


def test_the_memory_cgroup_of_v1_is_found_and_v2_has_none() -> None:
    assert memory_cgroup("5:cpu:/x\n4:memory:/a/b\n0::/\n") == Path("/sys/fs/cgroup/memory/a/b")
    assert memory_cgroup("0::/a/b\n") is None


def test_mounts_are_found_by_their_name() -> None:
    line = "36 35 0:32 / {path} rw,relatime shared:1 - tmpfs {name} rw"
    lines = [line.format(path="/a\\040b", name="rescue-s"), line.format(path="/c", name="rescue-s2")]
    assert mounts_of("s", "\n".join(lines)) == ["/a b"]


def _world() -> World:
    objects = {("configmaps", "m"): config_map("m", {"k": "v"})}
    return World(pod("p"), lambda resource, name: objects.get((resource, name)), lambda: "token", {})


def _ready(app: str, address: str) -> Object:
    found = pod(app)
    ready = {"type": "Ready", "status": "True"}
    return found | {"status": {"podIP": address, "conditions": [ready]}}
