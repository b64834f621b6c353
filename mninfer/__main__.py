"""``python -m mninfer`` is the command ``mninfer``."""

from mninfer.cli.console import run

run()
