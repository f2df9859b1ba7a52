"""``python -m rescue`` is the command ``rescue``."""

from rescue.cli import main

main(prog_name="rescue")
