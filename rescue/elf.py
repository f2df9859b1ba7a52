"""What an ELF header says of a program: its machine and its loader.  Pure; elf(5)."""

import struct
from dataclasses import dataclass

# e_machine -> what `uname -m` calls it.
MACHINES = {
    3: "i686", 20: "ppc", 21: "ppc64le", 22: "s390x", 40: "armv7l", 62: "x86_64", 183: "aarch64", 243: "riscv64",
}  # fmt: skip

_MAGIC = b"\x7fELF"
_PT_INTERP = 3
# Per class (32 or 64 bit): header from e_machine to e_phnum, program header to p_filesz, and its offset and size there.
_LAYOUTS = {
    1: ("HIIIIIHHH", "IIIII", 1, 4),
    2: ("HIQQQIHHH", "IIQQQQ", 2, 5),
}


@dataclass(frozen=True)
class Elf:
    """``machine`` in the words of ``uname -m``; ``loader`` is empty for a static program."""

    machine: str
    loader: str


def parse(data: bytes) -> Elf:
    """Read the header of a program; raises ValueError when it is no ELF program."""
    if data[:4] != _MAGIC or len(data) < 64 or data[4] not in _LAYOUTS or data[5] not in (1, 2):
        raise ValueError("not an ELF program")
    header, entry, offset_at, size_at = _LAYOUTS[data[4]]
    order = "<" if data[5] == 1 else ">"
    try:
        machine, _, _, table, _, _, _, step, count = struct.unpack_from(order + header, data, 18)
        loader = ""
        for index in range(count):
            words = struct.unpack_from(order + entry, data, table + index * step)
            if words[0] == _PT_INTERP:
                start = words[offset_at]
                loader = data[start : start + words[size_at]].rstrip(b"\0").decode()
    except (struct.error, OverflowError, UnicodeDecodeError) as error:
        raise ValueError(f"a damaged ELF program: {error}") from error
    return Elf(MACHINES.get(machine, f"machine {machine}"), loader)
