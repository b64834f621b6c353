"""The console script ``mnconvert``."""

from typing import NoReturn

from mninfer.cli.console import run_main_of

__all__ = ["run"]


def run() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    run_main_of("mnconvert.cli.main")
