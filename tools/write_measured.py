"""Write README's "Measured" from the result files in benchmarks/results: part of make bench.

usage: python tools/write_measured.py [--check]

--check writes nothing and fails where README says something else than the result files.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- measured: written by make bench -->\n", "<!-- end of measured -->\n"

Result = dict[str, Any]


def read_result(name: str) -> Result | None:
    path = ROOT / "benchmarks" / "results" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def machine(result: Result) -> str:
    """The machine and the versions that a figure needs to be read."""
    facts = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items() if name != "mnkit")
    return f"{facts['cpu']}, {facts['cores']} cores, {facts['system']}; Python {facts['python']}, {versions}"


def photo_to_label(result: Result) -> Iterator[str]:
    yield f"From JPEG file to label, {result['model']}, {result['threads']} threads, medians in ms, in one run:"
    yield ""
    others = {
        "opencv": "OpenCV + LiteRT by hand",
        "opencv_alike": "the same pixels by OpenCV",
        "mediapipe": "MediaPipe",
    }
    yield f"| picture | mninfer | {' | '.join(others.values())} |"
    yield f"|---|--:|{'--:|' * len(others)}"
    for name, row in result["pictures"].items():
        ms = {contender: found["median"] for contender, found in row["latency_ms"].items()}
        cells = [f"{ms[key]:.1f} ({row[f'times_faster_than_{key}']['median']:.2f} ×)" for key in others]
        yield f"| {name} | {ms['mninfer']:.1f} | {' | '.join(cells)} |"
    yield ""
    yield (
        "(×: how many times longer than mninfer, the median of the paired ratios. By hand: cv2.imread and its default "
        "resize, bilinear, of the whole picture. The same pixels: the central crop by INTER_AREA, as in mninfer.)"
    )


def photo_to_label_one_process(result: Result) -> Iterator[str]:
    name, row = list(result["pictures"].items())[-1]
    times = (f"{row[f'times_faster_than_{other}']['median']:.2f} ×" for other in ("opencv", "opencv_alike"))
    yield (
        f"(In processes that have decoded larger photos before, OpenCV's {name} take {' and '.join(times)}: its arrays "
        "then get memory that the C library has kept. mninfer's do in any case.)"
    )


def cold_start(result: Result) -> Iterator[str]:
    parts = [
        f"{name} {row['median']:.2f} s and {result['peak_memory_mib'][name]['median']:.0f} MiB"
        for name, row in result["elapsed_s"].items()
    ]
    yield f"- The whole process, from nothing to a label: {', '.join(parts)}."


def overhead(result: Result) -> Iterator[str]:
    rows = [f"{row['overhead_of_medians']:+.1%} ({name})" for name, row in result["rows"].items()]
    yield f"- `classify()` of a decoded picture over the bare interpreter, {result['model']}: {', '.join(rows)}."


def bulk(result: Result) -> Iterator[str]:
    times = result["times_faster"]["median"]
    yield f"- A folder of {result['pictures']:,} small pictures: {times:.2f} × the speed of one at a time."


SECTIONS = {
    "photo_to_label": photo_to_label,
    "photo_to_label_one_process": photo_to_label_one_process,
    "cold_start": cold_start,
    "overhead": overhead,
    "bulk": bulk,
}


def render() -> str:
    """The section's text; what has no result file is left out."""
    results = {name: result for name in SECTIONS if (result := read_result(name))}
    if not results:
        return "No result file yet: `make bench` writes them.\n"
    lines = [line for name, result in results.items() for line in [*SECTIONS[name](result), ""]]
    text = "\n".join(lines).replace(".\n\n- ", ".\n- ")
    machines = dict.fromkeys(machine(result) for result in results.values())
    return f"{text}\n{'; '.join(machines)}. The files, with the commands: `benchmarks/results/`.\n"


def main() -> int:
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    written = f"{before}{BEGIN}{render()}{END}{after}"
    if "--check" in sys.argv[1:]:
        if written != text:
            print(
                "README's figures are not those of benchmarks/results: python tools/write_measured.py", file=sys.stderr
            )
        return int(written != text)
    path.write_text(written, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
