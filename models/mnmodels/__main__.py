"""``python -m mnmodels`` is the command ``mnmodels``."""

from mnmodels.cli.console import run

run()
