"""The hold and the keeper's small verbs: waiting, obeying TERM, and what a death leaves behind."""

import os
import signal
import subprocess

import pytest

from tests.agent.spool import Rescue, is_alive, key_values, until

FOREVER = ("/bin/sh", "-c", "echo $$; while :; do sleep 0.1; done")


def test_requests_are_served_in_turn(rescue: Rescue) -> None:
    rescue.hold("/bin/sh", "-c", "exit 3")
    runs = [rescue.request(number) for number in (1, 2)]
    until(lambda: all(run.ended for run in runs), "the ends")
    assert [run.end["exit_code"] for run in runs] == ["3", "3"]


def test_a_request_that_came_before_the_hunter_is_served(rescue: Rescue) -> None:
    run = rescue.request()
    rescue.hold("/bin/true")
    until(lambda: run.ended, "the end")
    assert run.end["ended"] == "exited"


@pytest.mark.parametrize("script", ["hunter", "keeper"])
def test_an_idle_hold_obeys_term(rescue: Rescue, script: str) -> None:
    arguments = ["hold", "/bin/true"] if script == "hunter" else ["hold"]
    environment = os.environ | {"RESCUE_ROOT": str(rescue.root)}
    with subprocess.Popen(rescue.command(script, *arguments), env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline().startswith(b"rescue: ")
        process.terminate()
        assert process.wait(timeout=20) == 143
    assert not list(rescue.root.glob(".nap*"))


def test_the_clocks_of_two_containers_do_not_meet_on_their_volume(rescue: Rescue) -> None:
    show = 'note() { [ "$1" != mkfifo ] || { echo "${4%.*}" && exit; }; }; root=/x bb=note; . "$1"; open_clock'
    clock = rescue.root / "lib/clock.sh"
    shown = [
        subprocess.run([rescue.root / "busybox", "sh", "-c", show, f"/x/{name}", clock], capture_output=True, text=True)
        for name in ("hunter", "keeper")
    ]
    paths = {run.stdout for run in shown}
    assert len(paths) == 2, "both are PID 1, and start at the same moment"
    assert all(path.startswith("/x/.nap.") for path in paths)


def test_a_hold_that_is_told_to_stop_ends_the_program_and_says_so(rescue: Rescue) -> None:
    hold = rescue.hold(*FOREVER)
    run = rescue.request()
    main = run.main_pid
    hold.terminate()
    assert hold.wait(timeout=20) == 143
    assert (run.end["ended"], run.end["note"]) == ("stopped", "the container was told to stop")
    assert not is_alive(main)


def test_a_killed_hold_takes_the_program_along_and_the_next_one_says_lost(rescue: Rescue) -> None:
    hold = rescue.hold(*FOREVER)
    run = rescue.request()
    main = run.main_pid
    until(lambda: (run.out / "memory.tsv").exists(), "the sampler")
    os.kill(hold.pid, signal.SIGKILL)
    until(lambda: not is_alive(main), "the program's end")
    assert not run.ended
    rescue.hold(*FOREVER)
    until(lambda: run.ended, "the end record")
    assert (run.end["ended"], run.end["main_pid"], run.end["traced"]) == ("lost", str(main), "yes")
    assert "the container died" in run.end["note"]
    assert float(run.end["started"]) < float(run.end["finished"])
    assert run.read("stdout") == f"{main}\n"


def test_a_repeated_request_is_the_same_run(rescue: Rescue) -> None:
    assert rescue.keeper("request", "1", "seconds=5").returncode == 0
    assert rescue.keeper("request", "1", "seconds=5").returncode == 0
    other = rescue.keeper("request", "1", "seconds=6")
    assert other.returncode == 73
    assert b"run 1 exists with other options" in other.stderr
    assert (rescue.root / "spool/1/options").read_text() == "seconds=5\n"


def test_a_cut_off_request_is_not_published(rescue: Rescue) -> None:
    done = rescue.keeper("request", "1", "argv=100", stdin=b"/bin/echo\0")
    assert done.returncode == 74
    assert b"stdin ended before 100 bytes" in done.stderr
    assert not (rescue.root / "spool/1/request").exists()


def test_options_that_make_no_sense_are_named(rescue: Rescue) -> None:
    note = rescue.replay("/bin/true", seconds="soon", colour="red").log["note"]
    assert "option is not a number: seconds=soon" in note
    assert "unknown option: colour=red" in note


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (64, []), (64, ["sing"]), (64, ["request"]), (64, ["request", "../x"]), (64, ["request", "1", "Seconds=1"]),
        (64, ["request", "1", "a b=1"]), (64, ["stop"]), (66, ["stop", "7"]), (66, ["stream", "7", "end=0"]),
        (64, ["stream", "1"]), (64, ["stream", "1", "end"]), (64, ["stream", "1", "../end=0"]),
        (64, ["stream", "1", "end=x"]), (64, ["info", "1"]),
    ],
)  # fmt: skip
def test_wrong_usage_of_the_keeper(rescue: Rescue, code: int, arguments: list[str]) -> None:
    if arguments[:1] == ["stream"] and code == 64:
        rescue.request()
    done = rescue.keeper(*arguments)
    assert done.returncode == code
    assert done.stderr.startswith(b"rescue: ")
    assert done.stdout == b""


@pytest.mark.parametrize("arguments", [[], ["hold"], ["replay", "x"], ["launch"], ["dance", "1"]])
def test_wrong_usage_of_the_hunter(rescue: Rescue, arguments: list[str]) -> None:
    environment = os.environ | {"RESCUE_ROOT": str(rescue.root)}
    done = subprocess.run(rescue.command("hunter", *arguments), env=environment, capture_output=True, timeout=20)
    assert done.returncode == 64
    assert done.stderr.startswith(b"rescue: usage: ")


def test_info(rescue: Rescue) -> None:
    info = key_values(rescue.keeper("info").stdout.decode())
    assert info["format"] == "rescue-info 1"
    assert (info["machine"], info["kernel"]) == (os.uname().machine, os.uname().release)
    assert int(info["page_size"]) == os.sysconf("SC_PAGE_SIZE")
    assert 0 < int(info["spool_free"]) <= int(info["spool_total"])
