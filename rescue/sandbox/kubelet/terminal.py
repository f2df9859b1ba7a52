"""The kubelet's end of a pseudo-terminal, read and written from asyncio."""

import asyncio
import fcntl
import os
import struct
import termios
from tty import setraw


class Terminal:
    """Made with the descriptor that the command gets, ``other``; to be closed by both ends' owners."""

    def __init__(self) -> None:
        self._descriptor, self.other = os.openpty()
        # The container's own terminal echoes; this one only carries bytes.
        setraw(self.other)

    async def read(self, size: int) -> bytes:
        """The next bytes; none when the command's end is closed.

        An asyncio pipe transport would drop what it has read when Linux says EIO, which is a terminal's
        end of file.
        """
        readable = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._descriptor, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(self._descriptor)
        try:
            return os.read(self._descriptor, size)
        except OSError:
            return b""

    async def write(self, data: bytes) -> None:
        """All of the bytes, as fast as the command takes them; OSError after its end."""
        await asyncio.to_thread(self._write_all, data)

    def resize(self, width: int, height: int) -> None:
        """The size in characters; the reader of ``other`` must be told by SIGWINCH."""
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def close(self) -> None:
        """Close our end."""
        os.close(self._descriptor)

    def _write_all(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]
