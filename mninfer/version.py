"""Which version of a package is installed, as its metadata says it; looked up when asked for, which takes 20 ms."""

__all__ = ["installed_version"]


def installed_version(package: str = "mnkit") -> str | None:
    """The version of an installed package, by default of this one; None where it is not installed (a source tree)."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None
