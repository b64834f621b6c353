"""One conversion in a few lines: what was written, how near to the float model it is, where it runs."""

from mnconvert.accuracy import PairedDifference
from mnconvert.config import Scores
from mnconvert.conversion import Conversion, Report
from mnconvert.report.columns import spell_bytes, spell_change, spell_ms, spell_points
from mnconvert.report.names import short_name, variant_name
from mnconvert.report.rows import in_points
from mnconvert.verification import PictureKind, Verification
from mninfer.preprocessing import PreprocessSpec
from mnmodels.evaluation.result import Share

__all__ = ["accuracy_lines", "range_facts", "source_facts", "spell_preprocess", "spell_verification", "summary"]

_SAID = {
    "file": "as the file says",
    "stated": "as stated",
    "inferred": "inferred from the first layers",
    "assumed": "ASSUMED: nothing says it",
}


def summary(conversion: Conversion, path: str) -> str:
    """The file at ``path`` for a person, a line to each thing; warnings go elsewhere."""
    report = conversion.report
    rows = [
        ("source", source_facts(report)),
        ("input", _ends(conversion)),
        ("preprocessing", spell_preprocess(report.preprocess)),
        ("labels", "none" if report.num_labels is None else f"{report.num_labels:,}"),
        ("scores", _scores(conversion)),
        ("ranges", range_facts(conversion)),
        ("verified", spell_verification(report.verification)),
        ("numbers", str(report.verification.census)),
        ("runs on", _runtimes(report)),
        *(("accuracy", line) for line in accuracy_lines(report)),
        *(("kept float", line) for line in _kept_lines(report)),
    ]
    lines = [f"{path}: {variant_name(report.config)}, {spell_bytes(report.size_bytes)} ({report.size_bytes:,} bytes)"]
    before = ""
    for name, text in rows:
        if text:
            lines.append(f"  {name if name != before else '':14}{text}")
            before = name
    return "\n".join(lines)


def source_facts(report: Report) -> str:
    """Name, Keras version and size of what was converted."""
    source = report.source
    keras = f", Keras {source.keras_version}" if source.keras_version else ""
    return f"{source.name}{keras}, {source.num_parameters:,} parameters"


def spell_preprocess(spec: PreprocessSpec) -> str:
    """The preprocessing and who said so."""
    return f"{spec} ({_SAID[str(spec.source)]})"


def range_facts(conversion: Conversion) -> str:
    """What the activations' ranges were taken from; "" where the file has none."""
    plan, calibration = conversion.plan, conversion.report.calibration
    if plan is None:
        return ""
    if calibration is None:
        return "from the statistics in the model: no picture was needed"
    return f"from {calibration['count']:,} of {calibration['found']:,} {calibration['kind']}"


def spell_verification(found: Verification) -> str:
    """How near the outputs are to the float model's, and on what that was measured."""
    pictures = "flat shapes" if found.picture_kind is PictureKind.SHAPES else "the calibration"
    agreement = "" if found.agreement is None else f"best class agrees in {100 * found.agreement:.1f} %, "
    near = f"cosine {found.cosine:.5f}, SQNR {found.sqnr_db:.1f} dB"
    return f"{agreement}{near}, on {found.num_pictures} pictures of {pictures}"


def accuracy_lines(report: Report) -> list[str]:
    """Top-1 and top-5 of the float model and of the file on the same labelled pictures."""
    found = report.accuracy
    if found is None:
        return []
    lines = [_shares("top-1", found.float_top1, found.top1, found.top1_difference)]
    if found.float_top5 and found.top5 and found.top5_difference:
        lines.append(_shares("top-5", found.float_top5, found.top5, found.top5_difference))
    about = f"{found.num_pictures:,} pictures of {found.num_classes:,} classes, matched by {found.matched_by}"
    return [*lines, f"on {about}{' (ASSUMED)' if found.is_match_assumed else ''}"]


def _shares(name: str, before: Share, after: Share, difference: PairedDifference) -> str:
    def spelled(share: Share) -> str:
        return f"{100 * share.rate:.2f} ± {100 * share.standard_error:.2f} %"

    return f"{name} {spelled(after)}, float {spelled(before)}: {spell_change(in_points(difference))} points"


def _kept_lines(report: Report) -> list[str]:
    """The layers of an int8 file that are float, and why where that was searched for."""
    drop = report.drop
    if drop is None:
        return [", ".join(map(short_name, report.kept_float))]
    held = "holds" if drop.is_held else "does NOT hold"
    before, after = (spell_points(-each.drop_points) for each in (drop.before, drop.after))
    if not drop.names:
        return [f"nothing: a drop of at most {drop.max_drop:g} points {held} with all int8, {before}"]
    lines = [
        f"{', '.join(map(short_name, drop.names))}",
        f"a drop of at most {drop.max_drop:g} points {held}: {after}, all int8 {before}; {drop.num_tried} files tried",
    ]
    if drop.latency_before_ms is not None and drop.latency_after_ms is not None:
        lines.append(f"latency {spell_ms(drop.latency_after_ms)}, all int8 {spell_ms(drop.latency_before_ms)}")
    return lines


def _ends(conversion: Conversion) -> str:
    def spelled(shape: tuple[int, ...], dtype: str) -> str:
        return f"{dtype} {' x '.join(map(str, shape))}"

    spec = conversion.spec
    outputs = ", ".join(spelled(output.shape, output.dtype) for output in spec.outputs)
    return f"{', '.join(spelled(each.shape, each.dtype) for each in spec.inputs)}; output {outputs}"


def _scores(conversion: Conversion) -> str:
    """What a classifier gives; quantized probabilities are few, so that the best classes may be equal."""
    scores, output = conversion.report.scores, conversion.spec.outputs[0]
    if scores is not Scores.PROBABILITIES or output.quantization is None:
        return str(scores or "")
    remedy = " (--scores logits)" if conversion.report.source.keras_version else ""  # a .tflite keeps what it gives
    return f"probabilities in steps of {output.quantization.scales[0]:.4f}, which may tie{remedy}"


def _runtimes(report: Report) -> str:
    found = report.verification
    tried = ", ".join(str(trial) for trial in found.runtimes if trial.has_run)
    since = report.oldest_runtime
    oldest = f"TensorFlow Lite {since} or newer" if since else "a runtime newer than mnkit's table"
    coverage = found.coverage
    delegated = (
        f"; {coverage.num_delegated} of {coverage.num_operators} operators by {coverage.delegate or 'a delegate'}"
        if coverage.num_delegated is not None and coverage.num_operators is not None
        else ""
    )
    return f"{oldest}; tried: {tried}{delegated}"
