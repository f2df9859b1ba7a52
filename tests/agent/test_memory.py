"""The memory samples: the program's processes, and the cgroup in all the ways it can be mounted."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.agent.spool import BUSYBOX, Rescue, Run

LIB = Path(__file__).parents[2] / "hunter_agent/lib"
V1_FILES = {
    "memory.usage_in_bytes": "1000\n", "memory.max_usage_in_bytes": "3000\n", "memory.limit_in_bytes": "50331648\n",
    "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
}  # fmt: skip
V2_FILES = {
    "memory.current": "1000\n", "memory.peak": "3000\n", "memory.max": "50331648\n",
    "memory.events": "low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\noom_group_kill 1\n",
}  # fmt: skip
ONLY_SYSTEMD = "1:name=systemd:/pod/ctr\n"


@dataclass(frozen=True)
class Mount:
    """How a container may see its cgroup: /proc/self/cgroup, the mount, and where in it the files are."""

    cgroup: str
    point: str
    root: str
    kind: str
    files: str

    def build(self, root: Path) -> str:
        """Lay it out below a folder; gives the version."""
        version = "v2" if self.kind.startswith("cgroup2") else "v1"
        (root / "proc/self").mkdir(parents=True)
        (root / "proc/self/cgroup").write_text(self.cgroup)
        (root / "proc/self/mountinfo").write_text(
            "22 1 0:5 / /proc rw - proc proc rw\n"
            f"30 22 0:26 {self.root} {self.point} ro,nosuid - {self.kind}\n"
            "31 22 0:27 / /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n"
        )
        folder = root / self.files.lstrip("/")
        folder.mkdir(parents=True)
        for name, content in (V2_FILES if version == "v2" else V1_FILES).items():
            (folder / name).write_text(content)
        return version


V1, V2 = "/sys/fs/cgroup/memory", "/sys/fs/cgroup"
MEMORY, UNIFIED = "cgroup cgroup rw,memory", "cgroup2 cgroup2 rw,nsdelegate"
MOUNTS = {
    "v1, the container's own folder": Mount("9:memory:/pod/ctr\n0::/\n", V1, "/pod/ctr", MEMORY, V1),
    "v1, the whole tree": Mount("4:cpu:/x\n9:memory:/pod/ctr\n", V1, "/", MEMORY, f"{V1}/pod/ctr"),
    "v1, in a namespace": Mount("9:memory:/\n", V1, "/", MEMORY, V1),
    "v1, with hugetlb": Mount("9:hugetlb,memory:/p:q\n", V1, "/", "cgroup cgroup rw,hugetlb,memory", f"{V1}/p:q"),
    "v2, in a namespace": Mount("0::/\n", V2, "/", UNIFIED, V2),
    "v2, the whole tree": Mount("0::/pod/ctr\n", V2, "/", UNIFIED, f"{V2}/pod/ctr"),
    "v2, root outside the namespace": Mount("0::/\n", V2, "/../..", UNIFIED, V2),
    "v2, path outside the namespace": Mount("0::/../other\n", V2, "/", UNIFIED, V2),
    "v2, beside v1": Mount(f"{ONLY_SYSTEMD}0::/pod/ctr\n", f"{V2}/unified", "/", UNIFIED, f"{V2}/unified/pod/ctr"),
}


@pytest.mark.parametrize("shell", [[BUSYBOX, "sh"], ["dash"]], ids=["busybox", "dash"])
@pytest.mark.parametrize("name", MOUNTS)
def test_the_cgroup_is_found(tmp_path: Path, shell: list[str], name: str) -> None:
    version = MOUNTS[name].build(tmp_path)
    script = f'set -eu; sysroot=$1; . "{LIB}/cgroup.sh"; find_cgroup; read_limit; echo "$cgroup $cgroup_dir $limit"'
    done = subprocess.run([*shell, "-c", script, "sh", str(tmp_path)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{version} {tmp_path}{MOUNTS[name].files} 50331648\n", "")


@pytest.mark.parametrize("shell", [[BUSYBOX, "sh"], ["dash"]], ids=["busybox", "dash"])
def test_no_cgroup_is_no_error(tmp_path: Path, shell: list[str]) -> None:
    script = f'set -eu; sysroot=$1; . "{LIB}/cgroup.sh"; find_cgroup; read_limit; echo "$cgroup $limit"'
    done = subprocess.run([*shell, "-c", script, "sh", str(tmp_path)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("none 0\n", "")


@pytest.mark.parametrize(("kind", "value"), [("v1", "9223372036854771712"), ("v2", "max")])
def test_no_limit_is_zero(tmp_path: Path, kind: str, value: str) -> None:
    mount = MOUNTS[f"{kind}, in a namespace"]
    mount.build(tmp_path)
    limit = "memory.max" if kind == "v2" else "memory.limit_in_bytes"
    (tmp_path / mount.files.lstrip("/") / limit).write_text(f"{value}\n")
    script = f'set -eu; sysroot=$1; . "{LIB}/cgroup.sh"; find_cgroup; read_limit; echo "$cgroup $limit"'
    done = subprocess.run([BUSYBOX, "sh", "-c", script, "sh", str(tmp_path)], capture_output=True, text=True)
    assert done.stdout == f"{kind} 0\n"


def rows_of(run: Run, kind: str) -> list[list[str]]:
    """The rows of one kind, without it."""
    rows = [line.split("\t") for line in run.read("memory.tsv").splitlines()[1:]]
    assert {row[1] for row in rows} <= {"cgroup", "proc"}
    return [[row[0], *row[2:]] for row in rows if row[1] == kind]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_cgroup_rows_hold_current_peak_and_oom_kills(rescue: Rescue, tmp_path: Path, version: str) -> None:
    sysroot = tmp_path / "sysroot"
    MOUNTS[f"{version}, in a namespace"].build(sysroot)
    rescue.environment = {"RESCUE_SYSROOT": str(sysroot)}
    run = rescue.replay("/bin/sleep", "0.3")
    header = run.read("memory.tsv").splitlines()[0]
    assert header == f"rescue-memory 1\tpage_size=4096\tcgroup={version}\tlimit=50331648"
    rows = rows_of(run, "cgroup")
    assert len(rows) >= 2
    assert {tuple(row[1:]) for row in rows} == {("1000", "3000", "2")}
    stamps = [float(row[0]) for row in rows]
    assert stamps == sorted(set(stamps))


def test_an_old_v2_kernel_has_no_peak_file_so_the_highest_sample_stands_in(rescue: Rescue, tmp_path: Path) -> None:
    sysroot = tmp_path / "sysroot"
    MOUNTS["v2, in a namespace"].build(sysroot)
    folder = sysroot / V2.lstrip("/")
    (folder / "memory.peak").unlink()
    rescue.environment = {"RESCUE_SYSROOT": str(sysroot)}
    seen = f"until grep -q $1 {rescue.root}/spool/1/out/memory.tsv; do sleep 0.02; done"
    script = f"for n in 9000 500; do echo $n >{folder}/memory.current; set -- cgroup.$n; {seen}; done"
    run = rescue.replay("/bin/sh", "-c", script)
    assert rows_of(run, "cgroup")[-1][1:] == ["500", "9000", "2"]


PARENT = """
import pathlib, subprocess, sys, time
child, table = subprocess.Popen(["sleep", "1000"]), pathlib.Path(sys.argv[1])
# The sampler starts beside the program: the table may not be there yet.
while not table.exists() or "\\tsleep\\n" not in table.read_text(): time.sleep(0.02)
child.kill()
"""


@pytest.mark.parametrize("trace", ["yes", "no"])
def test_every_process_of_the_program_is_sampled_and_no_other(rescue: Rescue, trace: str) -> None:
    table = str(rescue.root / "spool/1/out/memory.tsv")
    run = rescue.replay(sys.executable, "-c", PARENT, table, trace=trace, interval="0.05")
    names = {row[3] for row in rows_of(run, "proc")}
    assert names - {"strace", "busybox"} == {Path(sys.executable).name, "sleep"}
    main = [row for row in rows_of(run, "proc") if row[1] == run.end["main_pid"]]
    assert main


GROWING = """
import os, pathlib, sys, time
table = pathlib.Path(sys.argv[1])
def sampled():
    rows = [row.split("\\t") for row in table.read_text().splitlines()] if table.exists() else []
    return max((int(row[3]) for row in rows if row[1:3] == ["proc", str(os.getpid())]), default=0)
while not sampled(): time.sleep(0.02)
ballast = b"x" * 64_000_000
while sampled() < len(ballast): time.sleep(0.02)
"""


def test_growth_is_seen(rescue: Rescue) -> None:
    run = rescue.replay(sys.executable, "-c", GROWING, str(rescue.root / "spool/1/out/memory.tsv"))
    sizes = [int(row[2]) for row in rows_of(run, "proc") if row[1] == run.end["main_pid"]]
    assert sizes[0] < 32_000_000
    assert 64_000_000 < max(sizes) < 128_000_000


def test_shells_for_these_tests_are_here() -> None:
    assert shutil.which("dash")
