"""The program of a pod's infra container: it reaps its orphans and waits, as Kubernetes' ``pause`` does.

A static ELF of a few hundred bytes, made without a compiler.  Numbers: System V ABI (ELF-64), signal(7), and the
system call tables of the two machines.
"""

import platform
import struct

_BASE = 0x400000
_HEADERS = 64 + 56  # one ELF header, one program header
_SIGCHLD, _SIG_IGN = 17, 1
# rt_sigaction(SIGCHLD, {SIG_IGN}, NULL, 8): the kernel reaps children whose end is ignored.
_ACTION = struct.pack("<QQQQ", _SIG_IGN, 0, 0, 0)


def pause_program(machine: str = "") -> bytes:
    """The program for a machine as ``uname -m`` names it (default: this one); KeyError for others."""
    number, code = {"x86_64": (62, _X86_64), "aarch64": (183, _AARCH64)}[machine or platform.machine()]
    content = code + _ACTION
    size = _HEADERS + len(content)
    identity = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    entry = _BASE + _HEADERS
    header = struct.pack("<HHIQQQIHHHHHH", 2, number, 1, entry, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    readable_and_executable = 5
    segment = struct.pack("<IIQQQQQQ", 1, readable_and_executable, 0, _BASE, _BASE, size, size, 0x1000)
    return identity + header + segment + content


def _x86_64() -> bytes:
    after_lea = bytes.fromhex(
        "31d2"  # xor edx, edx
        "41ba08000000"  # mov r10d, 8
        "b80d000000"  # mov eax, rt_sigaction
        "0f05"  # syscall
        "b822000000"  # mov eax, pause
        "0f05"  # syscall
        "ebf7"  # back to pause
    )
    begin = b"\xbf" + struct.pack("<I", _SIGCHLD)  # mov edi, SIGCHLD
    return begin + b"\x48\x8d\x35" + struct.pack("<i", len(after_lea)) + after_lea  # lea rsi, [rip + ...]


def _aarch64() -> bytes:
    def move(register: int, value: int) -> int:
        return 0xD2800000 | value << 5 | register  # movz

    svc = 0xD4000001
    words = [move(0, _SIGCHLD), 0, move(2, 0), move(3, 8), move(8, 134), svc]  # rt_sigaction
    words += [move(register, 0) for register in range(4)] + [move(8, 73), svc]  # ppoll: there is no pause
    back_to_ppoll = 0x14000000 | -6 & 0x3FFFFFF
    words.append(back_to_ppoll)
    ahead = 4 * (len(words) - 1)  # from the second word to what follows the code
    words[1] = 0x10000001 | (ahead & 3) << 29 | (ahead >> 2) << 5  # adr x1, ...
    return struct.pack(f"<{len(words)}I", *words)


_X86_64, _AARCH64 = _x86_64(), _aarch64()
