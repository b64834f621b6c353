"""Bounds that several parts state."""

__all__ = ["DEFAULT_MAX_PIXELS", "MOST_THREADS"]

DEFAULT_MAX_PIXELS = 200_000_000  # the largest phone cameras of 2026 have 200 megapixels
MOST_THREADS = 1024  # an engine starts as many as it is asked for, be it a million
