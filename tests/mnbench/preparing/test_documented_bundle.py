"""docs/formats.md on bundles: its example is what is written, and no field is left out."""

import json
import re
from pathlib import Path

import pytest

from mnbench.preparing import Bundle
from mninfer.model_file import dump_json

pytestmark = pytest.mark.smoke


@pytest.fixture
def section(repository: Path) -> str:
    text = (repository / "docs" / "formats.md").read_text(encoding="utf-8")
    return text.partition("\n## Bundles of mnbench: `bundle.json`\n")[2].partition("\n## ")[0]


def test_the_example_is_written_as_it_stands(section: str) -> None:
    found = re.search(r"<!-- example: mnbench bundle -->\n```json\n(.*?)```", section, re.DOTALL)
    assert found
    bundle = Bundle.from_json(json.loads(found[1]), Path())
    assert dump_json(bundle.to_json()).decode() == found[1]
    assert all((bundle.stored, bundle.inputs, bundle.references, bundle.missing, bundle.network))


def test_every_field_has_a_word(section: str) -> None:
    told = set(re.findall(r"`([a-z_]+)`", section.partition("| field |")[2]))
    assert {"files", "missing", "inputs", "references", "model", "network", "identity", "made_by", "reference"} <= told
