"""``python -m rescue.sandbox NAME FOLDER``: the daemon in the foreground; ``rescue sandbox up`` starts it."""

import sys

from rescue.sandbox.daemon import main

if __name__ == "__main__":
    main(*sys.argv[1:])
