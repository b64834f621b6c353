"""``python -m mnconvert`` is the command ``mnconvert``."""

import sys

from mnconvert.cli.console import run

sys.exit(run())
