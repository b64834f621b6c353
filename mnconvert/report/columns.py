"""The measures of a variant and how each is spelled, for the table on a terminal and for the page alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mnconvert.report.rows import VariantRow

__all__ = ["COLUMNS", "Column", "columns_of", "spell_bytes", "spell_change", "spell_ms", "spell_points"]


@dataclass(frozen=True, slots=True)
class Column:
    """``spell`` gives "" where the measure was not taken."""

    head: str
    spell: Callable[[VariantRow], str]
    is_text: bool = False


def spell_bytes(size: float) -> str:
    """Megabytes, or kilobytes below a tenth of one; 1000s, as file managers and shops count."""
    return f"{size / 1e6:.2f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def spell_ms(latency_ms: float) -> str:
    """Three digits that mean something: 0.213, 4.07, 34.7."""
    return f"{latency_ms:.{3 if latency_ms < 1 else 2 if latency_ms < 10 else 1}f} ms"


def spell_change(change: tuple[float, float]) -> str:
    """A difference in points with its standard error: -0.12 ± 0.18."""
    points, error = change
    return f"{spell_points(points)} ± {error:.2f}"


def spell_points(points: float) -> str:
    """A signed difference in points; what rounds to nothing is no less than nothing."""
    return f"{round(points, 2) + 0.0:+.2f}".replace("-", "−")


def _spelled(value: float | None, spell: Callable[[float], str]) -> str:
    return "" if value is None else spell(value)


COLUMNS = (
    Column("size", lambda row: _spelled(row.size_bytes, spell_bytes)),
    Column("agreement", lambda row: _spelled(row.agreement_percent, lambda value: f"{value:.1f} %")),
    Column("cosine", lambda row: _spelled(row.cosine, lambda value: f"{value:.5f}")),
    Column("SQNR", lambda row: _spelled(row.sqnr_db, lambda value: f"{value:.1f} dB")),
    Column("top-1", lambda row: _spelled(row.top1_percent, lambda value: f"{value:.2f} %")),
    Column("to float", lambda row: "" if row.change is None else spell_change(row.change)),
    Column("latency", lambda row: _spelled(row.latency_ms, spell_ms)),
    Column("oldest runtime", lambda row: row.oldest_runtime or "", is_text=True),
)


def columns_of(rows: Sequence[VariantRow]) -> tuple[Column, ...]:
    """The columns that have something to say of any of the rows."""
    return tuple(column for column in COLUMNS if any(column.spell(row) for row in rows))
