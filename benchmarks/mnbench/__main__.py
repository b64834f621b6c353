"""``python -m mnbench`` is the command ``mnbench``."""

import sys

from mnbench.cli.console import run

sys.exit(run())
