"""The tables of the decisions on conversion are those of the result files."""

import subprocess
import sys
from pathlib import Path

import pytest

from write_conversion_tables import limits_table, others_table

pytestmark = pytest.mark.smoke


def test_the_pages_say_what_the_results_say(repository: Path) -> None:
    script = [sys.executable, repository / "tools" / "write_conversion_tables.py", "--check"]
    done = subprocess.run(script, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_row_of_limits_has_all_three_kinds_of_pictures() -> None:
    fidelity = {"agreement": 0.875, "sqnr_db": 12.25}
    real = {"change": -18.25, "standard_error": 2.29, "num_pictures": 400}
    row = {"network": "net", "conversion": "noise", "shapes": fidelity, "noise": fidelity, "pictures": real}
    assert list(limits_table([row]))[-1] == (
        "| net | noise | 87.5 %, 12.2 dB | 87.5 %, 12.2 dB | -18.25 ± 2.29, n = 400 |"
    )


def test_a_network_has_its_own_row() -> None:
    whole = {"top1": 71.58, "top1_se": 0.45}
    changed = {"difference": -0.55, "difference_se": 0.22, "agreement": 93.2}
    rows = {"float32": whole, "int8, no data": changed, "int8, no data, per tensor": changed}
    assert list(others_table({"CNN": rows}))[-1] == ("| CNN | 71.6 ± 0.5 | -0.55 ± 0.22 (93.2) | -0.55 ± 0.22 (93.2) |")
