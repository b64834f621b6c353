"""``python -m mnconvert`` is the command ``mnconvert``."""

from mnconvert.cli.console import run

run()
