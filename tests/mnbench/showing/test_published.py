"""Others' figures are as they were published: held to the list that this project was given."""

import re
from pathlib import Path

import pytest

from mnbench.showing.published import DEVICE_FIGURES, DEVICE_MODELS, FIGURES_2017, Figures2017

pytestmark = pytest.mark.smoke


def cells(row: Figures2017) -> list[str]:
    return [
        row.device.upper(),
        str(row.forward),
        "-" if row.forward_backward is None else str(row.forward_backward),
        "AVX2" if row.has_avx2 else "-",
        "8-bits" if row.is_quantized else "-",
        "On" if row.is_fused else "-",
        row.remark,
    ]


def test_the_table_of_2017(shared: Path) -> None:
    text = (shared / "anchors.md").read_text(encoding="utf-8")
    section = text.partition("## The table to reproduce")[2].partition("##")[0]
    rows = re.findall(r"^\| ([CG]PU) \| (.*) \|$", section, re.MULTILINE)
    assert [cells(row) for row in FIGURES_2017] == [[device, *rest.split(" | ")] for device, rest in rows]


def test_devices(shared: Path) -> None:
    text = (shared / "anchors.md").read_text(encoding="utf-8")
    assert "- Latency, ms, V1 f32 / V2 f32 / V1 int8 / V2 int8" in text
    assert [variant for _, variant in DEVICE_MODELS] == ["float32", "float32", "int8", "int8"]
    for each in DEVICE_FIGURES:
        assert " / ".join(f"{figure:g}" for figure in each.milliseconds) in text
        assert each.source
