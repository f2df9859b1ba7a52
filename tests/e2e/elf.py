"""Tiny static ELF programs made without a compiler, for images that hold nothing else.

Numbers are those of the kernel: System V ABI (ELF-64), syscall(2), and each machine's instruction set manual.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

BASE = 0x400000
HEADERS = 64 + 56  # one ELF header, one program header
AT_FDCWD = 0xFFFFFF9C  # -100 as the kernel's unsigned int
STDERR = 2


@dataclass(frozen=True)
class Machine:
    """How one processor loads a 32-bit number into the n-th argument, calls the kernel, and faults."""

    elf_number: int
    calls: dict[str, int]
    load: Callable[[int, int], bytes]  # argument index (or -1: the call's number), value
    trap: bytes
    fault: bytes


def _load_x86_64(index: int, value: int) -> bytes:
    """``mov r32, imm32`` for edi, esi, edx, and eax for the call's number."""
    opcode = {-1: 0xB8, 0: 0xBF, 1: 0xBE, 2: 0xBA}[index]
    return struct.pack("<BI", opcode, value)


def _load_aarch64(index: int, value: int) -> bytes:
    """``movz`` and ``movk`` for x0 to x2, and x8 for the call's number."""
    register = 8 if index < 0 else index
    low, high = value & 0xFFFF, value >> 16
    return struct.pack("<II", 0xD2800000 | low << 5 | register, 0xF2A00000 | high << 5 | register)


MACHINES = {
    "amd64": Machine(
        elf_number=62,
        calls={"write": 1, "exit_group": 231, "openat": 257},
        load=_load_x86_64,
        trap=b"\x0f\x05",  # syscall
        fault=b"\x8b\x04\x25\0\0\0\0",  # mov eax, [0]
    ),
    "arm64": Machine(
        elf_number=183,
        calls={"openat": 56, "write": 64, "exit_group": 94},
        load=_load_aarch64,
        trap=struct.pack("<I", 0xD4000001),  # svc #0
        fault=struct.pack("<II", 0xD2800000, 0xF9400001),  # mov x0, #0; ldr x1, [x0]
    ),
}


def program(architecture: str, message: str, opens: str = "", exit_code: int | None = None) -> bytes:
    """A program that opens a file, says ``message``, and ends with ``exit_code`` (None: it faults)."""
    machine = MACHINES[architecture]
    path, text = opens.encode() + b"\0", message.encode() + b"\n"

    def code(data: int) -> bytes:
        steps = [_call(machine, "openat", AT_FDCWD, data, 0)] if opens else []
        steps.append(_call(machine, "write", STDERR, data + len(path), len(text)))
        steps.append(machine.fault if exit_code is None else _call(machine, "exit_group", exit_code))
        return b"".join(steps)

    size = len(code(0))  # the size does not depend on the address
    return _elf(machine, code(BASE + HEADERS + size) + path + text)


def _call(machine: Machine, name: str, *arguments: int) -> bytes:
    loads = b"".join(machine.load(index, value) for index, value in enumerate(arguments))
    return loads + machine.load(-1, machine.calls[name]) + machine.trap


def _elf(machine: Machine, body: bytes) -> bytes:
    """One executable, read-only segment that holds the headers and ``body``; it starts at the body."""
    identity = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header = struct.pack("<HHIQQQIHHHHHH", 2, machine.elf_number, 1, BASE + HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    size = HEADERS + len(body)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, size, size, 0x1000)
    return identity + header + segment + body
