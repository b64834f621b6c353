"""``python -m mninfer`` is the command ``mninfer``."""

import sys

from mninfer.cli.console import run

sys.exit(run())
