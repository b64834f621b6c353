"""``python -m mnmodels`` is the command ``mnmodels``."""

import sys

from mnmodels.cli.console import run

sys.exit(run())
