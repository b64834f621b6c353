"""What of a file's facts is below the limits, and what a reader should know: sentences with their values."""

from collections.abc import Iterator
from dataclasses import replace

from mnconvert.verification.dtype_census import Numbers, percent
from mnconvert.verification.result import Verification

__all__ = ["judge"]


def judge(facts: Verification) -> Verification:
    """``facts`` with its failures, by its own limits, and with further remarks."""
    failures = (*_output_failures(facts), *_share_failures(facts), *_runtime_failures(facts))
    return replace(facts, failures=failures, remarks=(*facts.remarks, *_remarks(facts)))


def _output_failures(facts: Verification) -> Iterator[str]:
    """Outputs that are too far from the float model's."""
    limits = facts.limits
    for output in facts.outputs:
        who = f'output "{output.name}"'
        if output.num_not_finite:
            yield f"{who} holds {output.num_not_finite} values that are not finite, in the file or in the float model"
        if limits.agreement is not None and output.agreement is not None and output.agreement < limits.agreement:
            yield (
                f"{who} has the float model's best class on {percent(output.agreement)} of {facts.num_pictures} "
                f"pictures, {percent(limits.agreement)} is the least"
            )
        if limits.sqnr_db is not None and output.sqnr_db < limits.sqnr_db:
            yield f"{who} has {output.sqnr_db:.1f} dB of signal to noise, {limits.sqnr_db:g} dB is the least"


def _share_failures(facts: Verification) -> Iterator[str]:
    """Multiply-adds in other numbers than the file's variant promises."""
    numbers, least = facts.limits.numbers, facts.limits.share
    if numbers is None or least is None:
        return
    share = facts.census.share_asked_for(numbers)
    if share < least:
        yield (
            f"{percent(share)} of the multiply-adds are {numbers}, {percent(least)} is the least; "
            f"others: {facts.census.name_others(numbers)}"
        )


def _runtime_failures(facts: Verification) -> Iterator[str]:
    """Engines on which the file should run by what it claims, and doesn't."""
    for trial in facts.runtimes:
        if trial.has_run is False:
            claim = f"; it claims to run from {facts.oldest_runtime} on" if facts.oldest_runtime else ""
            yield f"it does not run on {trial}: {trial.note}{claim}"


def _remarks(facts: Verification) -> Iterator[str]:
    """What doesn't fail a file and still belongs beside its numbers."""
    limits, coverage = facts.limits, facts.coverage
    for output in facts.outputs:
        if output.num_classes_seen == 1 and facts.num_pictures > 1:
            yield (
                f'output "{output.name}": the float model gives all {facts.num_pictures} pictures the same class, '
                "so that agreement proves little"
            )
    if limits.numbers is not None and limits.share is None and facts.census.share(limits.numbers) < 0.5:
        yield f"{facts.census}: the converter leaves small constants as they are"
    missed = (coverage.num_operators or 0) - (coverage.num_delegated or 0)
    if limits.numbers in (Numbers.FLOAT, Numbers.INT8) and missed:
        verb = "is" if missed == 1 else "are"
        yield f"{missed} of {coverage.num_operators} operators {verb} not run by {coverage.delegate or 'XNNPACK'}"
