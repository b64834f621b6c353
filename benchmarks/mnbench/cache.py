"""Where what was made is kept between runs: the user's cache folder, or a temporary one where there is no home."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

__all__ = ["cache_folder"]


def cache_folder(environment: Mapping[str, str] | None = None) -> Path:
    """The folder of mnbench below XDG_CACHE_HOME or ~/.cache; it need not exist yet."""
    variables = os.environ if environment is None else environment
    stated = variables.get("XDG_CACHE_HOME", "")
    base = Path(stated) if os.path.isabs(stated) else _home_cache()
    if base is None:
        user = os.getuid() if hasattr(os, "getuid") else 0
        return Path(tempfile.gettempdir()) / f"mnkit-{user}" / "mnbench"
    return base / "mnkit" / "mnbench"


def _home_cache() -> Path | None:
    try:
        home = Path.home()
    except RuntimeError:  # a user without a home folder, as in some containers
        return None
    return home / ".cache" if home.is_dir() and os.access(home, os.W_OK) else None
