"""``python -m mnbench`` is the command ``mnbench``."""

from mnbench.cli.console import run

run()
