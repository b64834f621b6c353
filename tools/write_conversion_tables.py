"""Write the tables and the chart of docs/decisions/0006 and 0007 from the result files in benchmarks/results.

usage: python tools/write_conversion_tables.py [--check]

--check writes nothing and fails where they say something else than the result files.
"""

import json
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS, DECISIONS = ROOT / "benchmarks" / "results", ROOT / "docs" / "decisions"
LIMITS_PAGE = DECISIONS / "0006-verification-limits.md"
PAGE = DECISIONS / "0007-int8-without-data.md"
CHART = PAGE.with_suffix(".svg")
ABOUT_OTHERS = (
    "Networks that are no plain MobileNet, trained small on CIFAR-10, on its 10,000 test pictures "
    "(`python benchmarks/conversion/other_networks.py`):"
)
OTHERS = ("float32", "int8, no data", "int8, no data, per tensor")
BEGIN, END = "<!-- written by tools/write_conversion_tables.py -->\n", "<!-- end of what is written -->\n"
CHARTED = (
    "stock, noise",
    "stock, 1 picture",
    "stock, 200 pictures",
    "BatchNorm ranges, nearest rounding",
    "+ balanced rounding",
    "+ bias correction: no data",
    "with 100 pictures",
    "per tensor: stock, 200 pictures",
    "per tensor: no data, the largest weight fits",
    "per tensor: no data",
)
COLOURS = ("#2364c8", "#c06010", "#2e8b57", "#7a4fb0")
ROW, BAR, LEFT, WIDTH, DEEPEST = 58, 11, 300, 520, 12.0  # losses beyond DEEPEST points run out of the chart


def of(row: dict[str, Any]) -> dict[str, float]:
    """On all pictures where none was used, else on those that were not."""
    found: dict[str, float] = row.get("all") or row["others"]
    return found


def table(networks: dict[str, Any]) -> Iterator[str]:
    yield "| | " + " | ".join(networks) + " |"
    yield "|---|" + "---|" * len(networks)
    first = next(iter(networks.values()))
    for name in first:
        cells = []
        for rows in networks.values():
            row = of(rows[name])
            n = f"n = {row['n']:,}"
            if name == "float32":
                cells.append(f"{row['top1']:.1f} ± {row['top1_se']:.1f}, {n}")
            else:
                cells.append(f"{row['difference']:+.2f} ± {row['difference_se']:.2f} ({row['agreement']:.1f})")
        yield f"| {name} | " + " | ".join(cells) + " |"


def chart(networks: dict[str, Any]) -> str:
    height = 60 + ROW * len(CHARTED)
    scale = WIDTH / (DEEPEST + 2)
    zero = LEFT + DEEPEST * scale
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 20} {height}" '
            'font-family="sans-serif" font-size="12">'
        ),
        (
            f'<rect width="100%" height="100%" fill="#fcfaf6"/><text x="{LEFT}" y="18" font-weight="bold">'
            "Points of top-1 against float, with standard errors</text>"
        ),
    ]
    for i, name in enumerate(networks):
        parts.append(f'<rect x="{LEFT + 130 * i}" y="28" width="10" height="10" fill="{COLOURS[i]}"/>')
        parts.append(f'<text x="{LEFT + 130 * i + 14}" y="37">{escape(name)}</text>')
    for tick in range(-int(DEEPEST), 3, 2):
        x = zero + tick * scale
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="48" y2="{height - 14}" stroke="#d8d4cc"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 2}" text-anchor="middle" fill="#666">{tick:+d}</text>')
    for i, way in enumerate(CHARTED):
        top = 54 + ROW * i
        parts.append(f'<text x="{LEFT - 8}" y="{top + 28}" text-anchor="end">{escape(way)}</text>')
        for j, rows in enumerate(networks.values()):
            parts += bar(of(rows[way]), zero, scale, top + BAR * j + 3, COLOURS[j])
    parts.append(f'<line x1="{zero:.1f}" x2="{zero:.1f}" y1="48" y2="{height - 14}" stroke="#333"/></svg>')
    return "\n".join(parts) + "\n"


def bar(row: dict[str, float], zero: float, scale: float, y: float, colour: str) -> Iterator[str]:
    value, error = row["difference"], row["difference_se"]
    shown = max(value, -DEEPEST)
    x, width = zero + min(shown, 0) * scale, abs(shown) * scale
    yield f'<rect x="{x:.1f}" y="{y}" width="{max(width, 1):.1f}" height="{BAR - 3}" fill="{colour}"/>'
    if shown == value:
        low, high = zero + (value - error) * scale, zero + (value + error) * scale
        yield f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y + 4}" y2="{y + 4}" stroke="#222"/>'
    else:
        yield f'<text x="{x + 4:.1f}" y="{y + 8}" fill="#fff" font-size="9">{value:+.0f}</text>'


def others_table(networks: dict[str, Any]) -> Iterator[str]:
    """Networks that are no plain MobileNet, on all of CIFAR-10's test pictures."""
    yield "| | float32 | int8, no data | per tensor, no data |"
    yield "|---|---|---|---|"
    for name, rows in networks.items():
        whole, *quantized = (rows[way] for way in OTHERS)
        cells = (f"{row['difference']:+.2f} ± {row['difference_se']:.2f} ({row['agreement']:.1f})" for row in quantized)
        yield f"| {name} | {whole['top1']:.1f} ± {whole['top1_se']:.1f} | {' | '.join(cells)} |"


def limits_table(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "| network | conversion | shapes: agreement, SQNR | noise: agreement, SQNR | pictures: change of top-1 |"
    yield "|---|---|--:|--:|--:|"
    for row in rows:
        shapes, noise, real = row["shapes"], row["noise"], row["pictures"]
        cells = (f"{100 * found['agreement']:.1f} %, {found['sqnr_db']:.1f} dB" for found in (shapes, noise))
        change = f"{real['change']:+.2f} ± {real['standard_error']:.2f}, n = {real['num_pictures']}"
        yield f"| {row['network']} | {row['conversion']} | {' | '.join(cells)} | {change} |"


def read(name: str, field: str) -> Any:
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))[field]


def filled(page: Path, written: Iterator[str] | list[str]) -> str:
    """The page with what is written in its place."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n".join(written) + "\n" + END + after


def main() -> int:
    networks = read("conversion_accuracy", "networks")
    others = others_table(read("conversion_others", "networks"))
    wanted = {
        LIMITS_PAGE: filled(LIMITS_PAGE, limits_table(read("verification_limits", "rows"))),
        PAGE: filled(PAGE, [*table(networks), "", f"![the chart]({CHART.name})", "", ABOUT_OTHERS, "", *others]),
        CHART: chart(networks),
    }
    differing = [path for path, content in wanted.items() if not path.is_file() or path.read_text("utf-8") != content]
    if "--check" in sys.argv[1:]:
        for path in differing:
            print(f"{path.name} is not what the results say: python tools/{Path(__file__).name}", file=sys.stderr)
        return int(bool(differing))
    for path in differing:
        path.write_text(wanted[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
