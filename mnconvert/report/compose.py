"""Conversions of one model -> the page: facts, rows, and the inside of its integer files. Runs engines."""

from collections.abc import Sequence
from itertools import islice

from mnconvert.config import Variant
from mnconvert.conversion import Conversion, Failed
from mnconvert.report.detail import Detail, OperatorRow
from mnconvert.report.html import Page
from mnconvert.report.look_inside import look_inside
from mnconvert.report.names import variant_name
from mnconvert.report.remarks import remarks_on
from mnconvert.report.rows import Outcome, VariantRow
from mnconvert.report.summary import accuracy_lines, range_facts, source_facts, spell_preprocess, spell_verification
from mnconvert.verification import shape_pictures
from mninfer.model_file import check_model, macs_by_operator, runtime_by_operator
from mninfer.version import installed_version

__all__ = ["compose_page", "operator_rows"]

_NUM_PICTURES = 8


def compose_page(title: str, outcomes: Sequence[Outcome], rows: Sequence[VariantRow]) -> Page:
    """All that is known of ``outcomes``; those that were not made are in ``rows`` alone."""
    made = _made(outcomes)
    inside = [each for each in made if each.variant is Variant.INT8 and each.float_flatbuffer]
    return Page(
        title=title,
        facts=_facts(made),
        rows=tuple(rows),
        notes=_notes(made),
        details=tuple(_detail(each) for each in inside),
        operators=tuple((variant_name(each.report.config), operator_rows(each.data)) for each in made),
        ranges=tuple((variant_name(each.report.config), each.plan.tensors) for each in made if each.plan is not None),
        foot=_foot(made),
    )


def _made(outcomes: Sequence[Outcome]) -> list[Conversion]:
    found = [each.conversion if isinstance(each, Failed) else each for each in outcomes]
    return [each for each in found if each is not None]


def _facts(made: Sequence[Conversion]) -> tuple[tuple[str, str], ...]:
    """What holds for all of them alike."""
    if not made:
        return ()
    first = made[0]
    report = first.report
    integer = next((each for each in made if each.plan is not None), first)
    digest = report.source.sha256
    facts = (
        ("source", source_facts(report) + (f", sha256 {digest[:16]}…" if digest else "")),
        ("input", " × ".join(map(str, first.spec.inputs[0].shape))),
        ("preprocessing", spell_preprocess(report.preprocess)),
        ("labels", "none" if report.num_labels is None else f"{report.num_labels:,}"),
        ("ranges", range_facts(integer)),
        ("verified", spell_verification(integer.report.verification) + f" ({variant_name(integer.report.config)})"),
    )
    accuracy = tuple(("accuracy", line) for line in accuracy_lines(integer.report))
    return tuple((name, value) for name, value in (*facts, *accuracy) if value)


def _notes(made: Sequence[Conversion]) -> tuple[str, ...]:
    """Each warning, change and remark once, in the order in which they came up."""
    notes: dict[str, None] = {}
    for each in made:
        notes |= dict.fromkeys((*each.report.source.changes, *each.report.warnings))
    return (*notes, *remarks_on(made))


def _detail(conversion: Conversion) -> Detail:
    _, height, width, _ = conversion.spec.inputs[0].shape
    pictures = list(islice(shape_pictures(_NUM_PICTURES, size=(height, width)), _NUM_PICTURES))
    return look_inside(
        conversion.float_flatbuffer,
        conversion.data,
        name=variant_name(conversion.report.config),
        preprocess=conversion.report.preprocess,
        pictures=pictures,
        kind="flat coloured shapes",
    )


def operator_rows(data: bytes) -> tuple[OperatorRow, ...]:
    """Every operator of a file, in its order."""
    graph = check_model(data, allow_unlisted_ops=True)
    releases = runtime_by_operator(graph)

    def shape(index: int | None) -> tuple[int, ...] | None:
        return None if index is None or index < 0 else graph.tensors[index].shape

    return tuple(
        OperatorRow(
            index=operator.index,
            name=operator.name,
            version=operator.version,
            input_shape=shape(next(iter(operator.inputs), None)),
            output_shape=shape(next(iter(operator.outputs), None)),
            dtype=graph.tensors[operator.outputs[0]].dtype if operator.outputs else None,
            macs=macs or 0,
            runtime=releases[operator.name, operator.version],
        )
        for operator, macs in zip(graph.operators, macs_by_operator(graph), strict=True)
    )


def _foot(made: Sequence[Conversion]) -> str:
    version = installed_version()
    engines = dict.fromkeys(str(trial) for each in made for trial in each.report.verification.runtimes if trial.has_run)
    return f"mnconvert {version or '(a source tree)'}; verified on {', '.join(engines) or 'nothing'}"
