"""What the observer's lines prove: an entrypoint is believed only when nothing can have come before it."""

import pytest

from rescue import sighting
from rescue.sighting import Start, doubt, entrypoint, identities, is_runtime, obstacle, of_container, parse

ENTRY, SERVER = (b"/bin/sh", b"/entry.sh"), (b"/app/server", b"--port", b"80")


def words(argv: tuple[bytes, ...]) -> str:
    return b"".join(word + b"\0" for word in argv).hex()


def started(pid: int, *programs: tuple[bytes, ...] | None, gap: int | str = 45) -> str:
    """The observer's lines about one start; None is a program that it missed."""
    gaps = [str(gap), *("-" for _ in programs)]
    lines = [
        f"missed {pid}" if argv is None else f"argv {pid} {given} {words(argv)}"
        for argv, given in zip(programs, gaps, strict=False)
    ]
    return "\n".join([f"start {pid}", f"cgroup {pid} 0::/../pod/cri-{pid:064x}.scope", *lines, f"done {pid}", ""])


def proven(*starts: str) -> tuple[bytes, ...] | None:
    return entrypoint(parse("rescue-scout 1\n" + "".join(starts)))


def test_the_first_program_is_the_entrypoint_and_what_it_becomes_is_not() -> None:
    assert proven(started(7, ENTRY, SERVER)) == ENTRY


def test_one_start_is_enough_only_when_nobody_looked_away() -> None:
    assert proven(started(7, SERVER, gap=sighting.EXACT_GAP)) == SERVER
    assert proven(started(7, SERVER, gap=sighting.EXACT_GAP + 1)) is None
    assert proven(started(7, SERVER, gap="-")) is None


def test_three_starts_that_agree_are_enough() -> None:
    two = [started(7, SERVER, gap=2000), started(9, SERVER, gap="-")]
    assert proven(*two) is None
    assert proven(*two, started(11, SERVER, gap=900)) == SERVER


def test_starts_that_do_not_agree_prove_nothing_until_one_was_exact() -> None:
    vague = [started(pid, SERVER, gap=2000) for pid in (6, 7, 8)]
    assert proven(*vague, started(9, ENTRY, gap=2000)) is None
    assert proven(*vague, started(10, ENTRY)) == ENTRY


def test_what_was_seen_to_come_later_is_never_the_entrypoint() -> None:
    vague = [started(pid, SERVER, gap=900) for pid in (8, 9, 10)]
    assert proven(started(7, None, SERVER), *vague) is None
    assert proven(started(7, ENTRY, SERVER, gap=900), *vague) is None


def test_an_exact_start_that_another_contradicts_proves_nothing() -> None:
    assert proven(started(7, SERVER), started(8, ENTRY, SERVER, gap=900)) is None


def test_two_exact_starts_that_differ_prove_nothing() -> None:
    assert proven(started(7, SERVER), started(8, ENTRY)) is None


def test_a_missed_program_proves_nothing() -> None:
    assert proven(started(7, None), started(8, None)) is None


RUNTIMES = [
    (b"runc", b"init"),
    (b"/proc/self/exe", b"init"),
    (b"/usr/bin/crun", b"create", b"--bundle"),
    (b"youki:[2:INIT]", b"init"),
]


@pytest.mark.parametrize("argv", RUNTIMES)
def test_the_runtime_is_not_the_program(argv: tuple[bytes, ...]) -> None:
    assert is_runtime(argv)
    assert proven(started(7, argv, SERVER)) is None, "what came after it may not have been the first"
    assert proven(*(started(pid, argv, SERVER) for pid in (7, 8, 9))) == SERVER


@pytest.mark.parametrize("argv", [(b"/sbin/init",), (b"init",), (b"/app/server", b"init"), (b"tini", b"--", b"x")])
def test_a_program_that_is_called_init_is_no_runtime(argv: tuple[bytes, ...]) -> None:
    assert not is_runtime(argv)


def test_arguments_may_be_empty_and_hold_any_byte() -> None:
    argv = (b"/app", b"", b"two words\nand lines", b"\xff\xfe", "Á".encode(), b"")
    assert proven(started(7, argv)) == argv


def test_a_line_that_is_cut_is_not_read() -> None:
    whole = "rescue-scout 1\n" + started(7, SERVER)
    cut = whole[: whole.index(" 45 ") + 10]
    assert entrypoint(parse(cut)) is None


def test_other_lines_are_left_out() -> None:
    assert parse("sh: something went wrong\nargv 9 45 00\nend\n") == []


def test_a_pid_that_is_used_again_is_another_start() -> None:
    assert len(parse(started(7, ENTRY) + started(7, SERVER))) == 2


def pod(*names: str, **status: object) -> dict[str, object]:
    return {"spec": {"containers": [{"name": name} for name in names]}, "status": status}


def test_beside_other_containers_only_the_targets_starts_count() -> None:
    both = parse(started(7, ENTRY) + started(8, SERVER))
    injected = pod(sighting.OBSERVER, "web", "proxy")
    assert of_container(both, injected, "web", frozenset({f"{8:064x}"})) == both[1:]
    assert of_container(both, injected, "web", frozenset()) == []
    assert of_container(both, pod(sighting.OBSERVER, "web"), "web", frozenset()) == both


def test_a_containers_present_and_last_run_are_its_own() -> None:
    entry = {
        "name": "web",
        "containerID": "containerd://aa",
        "state": {"waiting": {}},
        "lastState": {"terminated": {"containerID": "containerd://bb"}},
    }
    assert identities(pod("web", containerStatuses=[entry]), "web") == {"aa", "bb"}
    assert identities(pod("web"), "web") == frozenset()


def test_a_program_that_is_not_there_is_an_obstacle_and_a_crash_is_none() -> None:
    crashed = {"name": "web", "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"reason": "Error"}}}  # fmt: skip  # noqa: E501
    assert obstacle(pod("web", containerStatuses=[crashed]), "web") == ""
    absent = {"name": "web", "lastState": {"terminated": {"reason": "StartError", "message": 'exec: "/x": no such file'}}}  # fmt: skip  # noqa: E501
    assert obstacle(pod("web", containerStatuses=[absent]), "web") == 'web: StartError: exec: "/x": no such file'
    pulling = {"name": sighting.OBSERVER, "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no"}}}
    assert obstacle(pod("web", containerStatuses=[pulling]), "web") == "rescue-observer: ImagePullBackOff: no"


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", "not seen to start"),
        (started(7, None), "seen to start once, but its program ended"),
        (started(7, SERVER, gap=900), "seen to start once, but another program may have come first"),
        (started(7, SERVER, gap=900) + started(8, ENTRY, gap=900), "not always with the same program"),
    ],
)
def test_a_doubt_is_said_in_words(log: str, words: str) -> None:
    assert words in doubt(parse(log))


def test_a_start_without_programs_is_not_exact() -> None:
    assert not Start(gap=1).is_exact
