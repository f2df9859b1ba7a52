"""Who runs rescue, and where: what is written on a clone, and what tells one's own from a colleague's."""

import getpass
import socket


def current_user() -> str:
    """``kim@laptop``; two machines of one user are two, because what runs on the other is not known here."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a uid without a name, as in many containers
        name = "unknown"
    return f"{name}@{socket.gethostname()}"
