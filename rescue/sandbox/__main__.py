"""``python -m rescue.sandbox NAME FOLDER``: become the daemon of a sandbox; ``rescue sandbox up`` starts it.

The first process ends at once and leaves the daemon's pid in FOLDER/pid.
"""

import os
import sys

from rescue.sandbox.daemon import main

if __name__ == "__main__":
    _, name, folder = sys.argv
    main(name, folder, os.fork)
