"""The console script ``mnbench``."""

from mninfer.cli.console import run_main_of

__all__ = ["run"]


def run() -> int:
    """Run the command line and return the exit code."""
    return run_main_of("mnbench.cli.main")
