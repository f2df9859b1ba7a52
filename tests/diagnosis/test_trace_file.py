"""A whole trace: failures, the family of processes, and who died."""

from rescue.diagnosis import deaths, trace

FAMILY = b"""10 1.0 execve("/bin/sh", ["sh"], 0x1) = 0
10 1.1 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD <unfinished ...>
11 1.2 execve("/usr/bin/app", ["app", "-v"], 0x1 <unfinished ...>
10 1.2 <... clone resumed>, child_tidptr=0x7f) = 11
11 1.3 <... execve resumed>) = 0
11 1.4 clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0} => {parent_tid=[12]}, 88) = 12
12 1.5 openat(AT_FDCWD</>, "/etc/app/x", O_RDONLY) = -1 ENOENT (No such file or directory)
11 1.6 exit_group(4) = ?
12 1.7 +++ exited with 4 +++
11 1.7 +++ exited with 4 +++
10 1.8 clone(child_stack=NULL, flags=SIGCHLD) = 13
13 1.9 --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=10, si_uid=0} ---
13 1.9 +++ killed by SIGTERM +++
10 2.0 exit_group(1) = ?
10 2.0 +++ exited with 1 +++
"""


def test_family_and_programs() -> None:
    found = trace.read(FAMILY)
    assert found.first_pid == 10
    assert (found.process(11).parent, found.process(11).program, found.process(11).argv) == (
        10, "/usr/bin/app", ("app", "-v"),
    )  # fmt: skip
    assert found.leader(12) == 11 and found.leader(13) == 13


def test_chain_of_deaths_leaves_out_children_that_were_asked_to_stop() -> None:
    assert [death.process.pid for death in deaths.chain(trace.read(FAMILY), 10)] == [10, 11]


def test_child_that_failed_before_the_last_exec_is_not_in_the_chain() -> None:
    later = FAMILY.replace(b"10 1.8 clone", b'10 1.75 execve("/bin/app", ["app"], 0x1) = 0\n10 1.8 clone')
    assert [death.process.pid for death in deaths.chain(trace.read(later), 10)] == [10]


def test_chain_without_an_epilogue_ends_with_the_trace() -> None:
    (death,) = deaths.chain(trace.read(b'10 1.0 execve("/bin/sh", ["sh"], 0x1) = 0\n'), 10)
    assert death.exit is None and death.offset == 42


def test_retry_loop_counts_once_with_its_last_line() -> None:
    line = b"%d 1.%d connect(3<TCP:[%d]>, {sa_family=AF_INET, sin_port=htons(1)}, 16) = -1 ECONNREFUSED (refused)\n"
    (failure,) = trace.read(b"".join(line % (pid, pid, pid) for pid in range(10, 30))).failures.values()
    assert (failure.count, failure.call.pid) == (20, 29)


def test_line_numbers() -> None:
    found = trace.read(FAMILY)
    assert found.line_number(0) == 1
    (failure,) = found.failures.values()
    assert found.line_number(failure.call.offset) == 7
    assert found.line(failure.call.offset).startswith("12 1.5 openat")


def test_change_of_user_and_directory() -> None:
    found = trace.read(b'5 1.0 setuid(101) = 0\n5 1.1 chdir("/srv") = 0\n5 1.2 setuid(0) = -1 EPERM (no)\n')
    assert (found.process(5).uid, found.process(5).directory) == ("101", "/srv")


def test_exec_that_strace_could_not_read_is_counted() -> None:
    assert trace.read(b"5 1.0 execve(0x7ffc1, 0x7ffc2, 0x7ffc3) = 0\n").unreadable == 1


def test_garbage_and_nothing() -> None:
    assert trace.read(b"").failures == {}
    assert trace.read(b"\x00 = -1 E\n +++ \n --- SIG\n execve(\n = -1 ENOENT").exits == {}


def test_user_of_an_interrupted_call_is_known() -> None:
    lines = b"10 1.0 setuid(65534 <unfinished ...>\n11 1.1 getpid() = 11\n10 1.2 <... setuid resumed>) = 0\n"
    assert trace.read(lines).process(10).uid == "65534"


def test_calls_of_a_name_are_found_whole() -> None:
    lines = (
        b'10 1.0 openat(AT_FDCWD</>, "/etc/a" <unfinished ...>\n11 1.0 getpid() = 11\n'
        b"10 1.1 <... openat resumed>, O_RDONLY) = 3</etc/a>\n"
        b'10 1.2 openat(AT_FDCWD</>, "/etc/a", O_RDONLY) = 4</etc/a>\n'
    )
    found = trace.read(lines).calls(b'"/etc/a"', ("openat",))
    assert [(call.pid, call.result, call.errno) for call in found] == [(10, "3</etc/a>", ""), (10, "4</etc/a>", "")]


def test_child_that_starts_a_program_before_its_vfork_returns_keeps_it() -> None:
    lines = (
        b'10 1.0 execve("/bin/sh", ["sh"], 0x1) = 0\n10 1.1 vfork( <unfinished ...>\n'
        b'11 1.2 execve("/usr/bin/app", ["app"], 0x1) = 0\n10 1.3 <... vfork resumed>) = 11\n'
        b"11 1.4 +++ exited with 4 +++\n10 1.5 +++ exited with 4 +++\n"
    )
    found = trace.read(lines)
    assert (found.process(11).parent, found.process(11).program) == (10, "/usr/bin/app")
    assert [death.process.pid for death in deaths.chain(found, 10)] == [10, 11]
