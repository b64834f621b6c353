"""The zoo's figures: the page says what the result file says, the result file what was published and counted."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mnmodels.counting.summary import COUNTING_RULE
from published_figures import CIFAR_100, IMAGENET, OTHERS
from write_zoo_figures import facts_of, fitted_macs, main

pytestmark = pytest.mark.smoke


@pytest.fixture(scope="module")
def result(repository: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((repository / "benchmarks" / "results" / "zoo_figures.json").read_text("utf-8"))
    return value


def test_the_page_is_rendered_from_the_result_file(repository: Path) -> None:
    script = [sys.executable, repository / "tools" / "write_zoo_figures.py", "--check"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_wrong_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--chek"]) == 2
    assert "usage" in capsys.readouterr().err


def test_the_result_file_has_every_published_row(result: dict[str, Any]) -> None:
    for rows, published in (("imagenet", IMAGENET), ("cifar_100", CIFAR_100), ("others", OTHERS)):
        assert [{key: row[key] for key in ("title", "published")} for row in result[rows]] == [
            facts_of(each) for each in published
        ]
    assert result["counting_rule"] == COUNTING_RULE


def test_multiply_adds_are_the_published_ones_but_for_the_rows_that_the_page_explains(result: dict[str, Any]) -> None:
    explained = {"V1 0.75 / 224", "V1 0.25 / 128", "V2 0.35 / 96", "V3 small 1 / 224", "V3 small minimalistic 1 / 224"}
    explained.add("V3 small 0.75 / 224")
    different = {
        row["title"]
        for row in result["imagenet"]
        if abs(row["ours"]["macs"] / 1e6 - row["published"]["macs_m"]) > max(0.8, 0.003 * row["published"]["macs_m"])
    }
    assert different <= explained


def test_parameters_of_v2_are_published_without_scale_and_offset(result: dict[str, Any]) -> None:
    rows = [row for row in result["imagenet"] if row["title"].startswith("V2")]
    assert len(rows) == 6
    for row in rows:
        assert row["ours"]["weights"] / 1e6 == pytest.approx(row["published"]["parameters_m"], abs=0.005)


def test_the_fitted_rule_gives_the_v1_rows_of_cifar_100_to_the_printed_digit(result: dict[str, Any]) -> None:
    for row, half_digit in zip(result["cifar_100"][:3], (0.5, 0.5, 0.05), strict=True):
        assert fitted_macs(row["ours"]) / 1e6 == pytest.approx(row["published"]["macs_m"], abs=half_digit)
        assert row["ours"]["trainable"] / 1e6 == pytest.approx(row["published"]["parameters_m"], abs=half_digit / 50)
