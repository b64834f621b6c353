"""What was chosen and what was left out -> an error where nothing can be measured on it, else sentences to tell."""

from collections.abc import Sequence

from mnconvert.calibration.sorting_out import Flaw, SkippedSample, Sorted
from mninfer.errors import CalibrationError

__all__ = ["FEW_SAMPLES", "judge"]

FEW_SAMPLES = 20
_MEANT = {
    Flaw.UNREADABLE: "can't be read",
    Flaw.BLANK: "have one colour all over",
    Flaw.DUPLICATE: "have the same pixels as another one",
}
_TRY = "some 100 different pictures of what the model will see"


def judge(chosen: Sorted, *, num_found: int, asked: int | None, where: str) -> tuple[str, ...]:
    """Warnings, whole sentences with their values; ``asked`` is the number that was asked for, if one was.

    Raises:
        CalibrationError: none is left, or only one picture many times over.
    """
    by_flaw = {flaw: [each for each in chosen.skipped if each.flaw is flaw] for flaw in Flaw}
    if not chosen.kept:
        reasons = "; ".join(_told(flaw, skipped) for flaw, skipped in by_flaw.items() if skipped)
        raise CalibrationError(f"nothing to measure on among {num_found:,} found: {reasons}", where=where, hints=_TRY)
    copies = by_flaw[Flaw.DUPLICATE]
    if len(chosen.kept) == 1 and copies:
        raise CalibrationError(
            f"it is one picture {len(copies) + 1:,} times: {_named(copies)}", where=where, hints=_TRY
        )
    told = [f"{_told(flaw, skipped)}: left out" for flaw, skipped in by_flaw.items() if skipped]
    return (*told, *_noise(chosen), *_too_few(len(chosen.kept), asked))


def _told(flaw: Flaw, skipped: Sequence[SkippedSample]) -> str:
    return (
        f"{len(skipped):,} {'picture' if len(skipped) == 1 else 'pictures'} {_verb(flaw, skipped)} ({_named(skipped)})"
    )


def _verb(flaw: Flaw, skipped: Sequence[SkippedSample]) -> str:
    return _MEANT[flaw].replace("have ", "has ", 1) if len(skipped) == 1 else _MEANT[flaw]


def _named(skipped: Sequence[SkippedSample]) -> str:
    first = skipped[0]
    return f'"{first.name}": {first.reason}' + (f", and {len(skipped) - 1:,} more" if len(skipped) > 1 else "")


def _noise(chosen: Sorted) -> list[str]:
    if not chosen.num_noise:
        return []
    count = f"{chosen.num_noise:,} of {len(chosen.kept):,}"
    return [f"{count} are noise, by their neighbouring pixels, and tell nothing of what photos will do: {_TRY}"]


def _too_few(count: int, asked: int | None) -> list[str]:
    told = []
    if asked is not None and count < asked:
        told.append(f"{asked:,} pictures were asked for, there are {count:,} to measure on")
    if count < FEW_SAMPLES:
        told.append(f"{count:,} {'picture is' if count == 1 else 'pictures are'} few to measure ranges on: {_TRY}")
    return told
