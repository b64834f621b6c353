"""Every layout in every format: the same doubts, figures and gaps in each."""

import pytest

from mnbench.record import Record
from mnbench.showing.footnotes import reason_of
from mnbench.showing.rendering import Format, Layout, rendered
from support.records import many_records

pytestmark = pytest.mark.smoke


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("form", list(Format))
def test_doubts_and_reasons_are_in_every_rendering(layout: Layout, form: Format) -> None:
    records = many_records()
    text = " ".join(rendered(records, layout, form).split()).replace("&#x27;", "'")
    rows = [row for record in records for row in record.rows if row.cell.work in ("forward", "forward-backward")]
    doubts = {doubt.text for row in rows for doubt in row.doubts} | {d.text for r in records for d in r.doubts}
    reasons = {reason for row in rows if (reason := reason_of(row))}
    assert len(doubts) >= 5
    assert len(reasons) == 3
    assert not {each for each in doubts | reasons if each not in text}


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("form", list(Format))
def test_the_same_records_make_the_same_text_to_its_last_end_of_line(layout: Layout, form: Format) -> None:
    text = rendered(many_records(), layout, form)
    assert text == rendered(many_records(), layout, form)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("form", list(Format))
def test_a_record_without_a_row(layout: Layout, form: Format) -> None:
    record = Record(device="empty", command="mnbench run", plan="", rows=())
    text = rendered([record], layout, form)
    assert ("empty" in text) == (form is not Format.CSV)
