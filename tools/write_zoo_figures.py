"""Count the zoo's networks, set them beside what was published, and write the tables of docs/zoo.md.

usage: python tools/write_zoo_figures.py [--render | --check]

Without an option: counts every network (needs Keras), writes benchmarks/results/zoo_figures.json and the tables.
--render writes the tables from the file that is there; --check writes nothing and fails where they say something else.
Neither of them needs Keras.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))  # make exports PYTHONSAFEPATH, which leaves it out

from published_figures import CIFAR_100, IMAGENET, OTHERS, Published

RESULT = ROOT / "benchmarks" / "results" / "zoo_figures.json"
PAGE = ROOT / "docs" / "zoo.md"
BEGIN, END = "<!-- figures: written by tools/write_zoo_figures.py -->\n", "<!-- end of figures -->\n"
COMMAND = "python tools/write_zoo_figures.py"
FOOT = "`{command}` counted ours and wrote these tables from [its result](../benchmarks/results/zoo_figures.json)."
# Found by fitting two numbers to the three V1 rows of CIFAR-100: see docs/zoo.md.
PER_NORMALIZED_VALUE, PER_PARAMETER = 1.0, 3.6

Row = dict[str, Any]


def count() -> dict[str, Any]:
    """Build and count each network."""
    sys.path[:0] = [str(ROOT), str(ROOT / "models")]
    from mnmodels.backend import start_keras
    from mnmodels.counting.summary import COUNTING_RULE

    start_keras()
    return {
        "schema": 1,
        "command": COMMAND,
        "counting_rule": COUNTING_RULE,
        "imagenet": [row_of(published) for published in IMAGENET],
        "cifar_100": [row_of(published) for published in CIFAR_100],
        "others": [facts_of(published) for published in OTHERS],
    }


def facts_of(published: Published) -> Row:
    return {
        "title": published.title,
        "published": {
            "macs_m": published.macs,
            "parameters_m": published.parameters,
            "top1": published.top1,
            "source": published.source,
        },
    }


def row_of(published: Published) -> Row:
    from mnmodels.architectures.registry import build_model
    from mnmodels.counting.summarize import summarize

    network = dict(published.network or {})
    summary = summarize(build_model(**network))
    assert not summary.uncounted
    norms = [row for row in summary.layers if row.kind == "BatchNormalization"]
    trainable = summary.condensed_trainable or summary.trainable or 0
    ours = {
        "macs": summary.condensed_macs or summary.macs,
        "macs_in_training": summary.macs,
        "trainable": trainable,
        "parameters": trainable + sum(row.parameters - (row.trainable or 0) for row in norms),
        "weights": trainable - sum(row.trainable or 0 for row in norms),
        "normalized_values": sum(prod(row.output_shape) for row in norms),
        "peak_activation_bytes": summary.peak.size_bytes,
    }
    return {**facts_of(published), "network": network, "ours": ours}


def render(result: dict[str, Any]) -> str:
    """The text between the marks."""
    lines = [
        "## Beside published figures",
        "",
        "MACs and parameters in millions. *trained*, *all* and *weights* (the trained ones without scale and offset of",
        "batch normalization) are ours; *peak* is the memory of our activations; top-1 is as published.",
        "",
        "### ImageNet",
        "",
        *imagenet_table(result["imagenet"]),
        "",
        *sources_of(result["imagenet"]),
        "",
        "### CIFAR-100, at 32 × 32",
        "",
        *cifar_table(result["cifar_100"]),
        "",
        "### Other small networks, ImageNet, as published",
        "",
        *others_table(result["others"]),
        "",
        FOOT.format(command=result["command"]),
    ]
    return "\n".join(lines) + "\n"


def imagenet_table(rows: Sequence[Row]) -> Iterator[str]:
    yield heading(
        "network", "MACs published", "ours", "parameters published", "trained", "all", "weights", "top-1 %", "peak"
    )
    for row in rows:
        published, ours = row["published"], row["ours"]
        yield (
            f"| {row['title']} | {published['macs_m']:g} | {macs_and_difference(row)} | {published['parameters_m']:g} "
            f"| {ours['trainable'] / 1e6:.3f} | {ours['parameters'] / 1e6:.3f} | {ours['weights'] / 1e6:.3f} "
            f"| {published['top1']} | {ours['peak_activation_bytes'] / 2**20:.2f} MiB |"
        )


def cifar_table(rows: Sequence[Row]) -> Iterator[str]:
    yield heading(
        "network", "MACs published", "ours", "rule below", "parameters published", "trained", "difference", "top-1 %"
    )
    for row in rows:
        published, ours = row["published"], row["ours"]
        trained = ours["trainable"] / 1e6
        yield (
            f"| {row['title']} | {published['macs_m']:g} | {macs_and_difference(row)} | {fitted_macs(ours) / 1e6:.1f} "
            f"| {published['parameters_m']:g} | {trained:.3f} | {difference(trained, published['parameters_m'])} "
            f"| {published['top1']:.2f} |"
        )


def others_table(rows: Sequence[Row]) -> Iterator[str]:
    yield heading("network", "MACs", "parameters", "top-1 %", "source")
    for row in rows:
        published = row["published"]
        yield (
            f"| {row['title']} | {published['macs_m']:g} | {published['parameters_m']:g} | {published['top1']} "
            f"| {published['source']} |"
        )


def heading(*names: str) -> str:
    """A table's head, in two lines: words to the left, numbers to the right."""
    rule = "|".join("---" if name in {"network", "source"} else "--:" for name in names)
    return f"| {' | '.join(names)} |\n|{rule}|"


def sources_of(rows: Sequence[Row]) -> Iterator[str]:
    names = dict.fromkeys(row["published"]["source"] for row in rows)
    yield f"Published: {'; '.join(names)}."


def macs_and_difference(row: Row) -> str:
    ours = row["ours"]["macs"] / 1e6
    return f"{ours:.1f} ({difference(ours, row['published']['macs_m'])})"


def difference(ours: float, published: float) -> str:
    """How much more ours is, in per cent."""
    text = f"{ours / published - 1:+.1%}"
    return "0.0%" if text == "-0.0%" else text


def fitted_macs(ours: Row) -> float:
    """Ours with one operation to each normalized value and some to each parameter."""
    extra = PER_NORMALIZED_VALUE * ours["normalized_values"] + PER_PARAMETER * ours["trainable"]
    return float(ours["macs"]) + extra


def write(text: str) -> str:
    """The page with ``text`` between its marks."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def main(arguments: Sequence[str]) -> int:
    if not set(arguments) <= {"--render", "--check"} or len(arguments) > 1:
        print(__doc__, file=sys.stderr)
        return 2
    if not arguments:
        RESULT.write_text(json.dumps(count(), indent=2) + "\n", encoding="utf-8")
    page = write(render(json.loads(RESULT.read_text(encoding="utf-8"))))
    if "--check" not in arguments:
        PAGE.write_text(page, encoding="utf-8")
    elif page != PAGE.read_text(encoding="utf-8"):
        print(f"docs/zoo.md's tables are not those of zoo_figures.json: {COMMAND} --render", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
