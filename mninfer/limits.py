"""Bounds that several parts state as their default."""

__all__ = ["DEFAULT_MAX_PIXELS"]

DEFAULT_MAX_PIXELS = 200_000_000  # the largest phone cameras of 2026 have 200 megapixels
