"""The outcome of a verification, as data: facts first, then what of them is below the limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mnconvert.verification.dtype_census import Census, Numbers
from mnconvert.verification.fidelity import OutputFidelity
from mnconvert.verification.limits import Limits
from mnconvert.verification.pictures import PictureKind
from mnconvert.verification.runtimes import RuntimeTrial
from mninfer.engines import DelegateCoverage
from mninfer.errors import VerifyError

__all__ = ["Verification"]

# In the file, so that nothing of it may differ from run to run: what is nearer than this is rounding of sums.
_MOST_RECORDED_DB = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What one file was found to be. ``failures`` are sentences with the values; none: it passed.

    ``remarks`` are what a reader should know, and no reason to refuse the file. All pictures were run on the first of
    ``runtimes``; ``oldest_runtime`` is what the file's operators claim.
    """

    outputs: tuple[OutputFidelity, ...]
    num_pictures: int
    picture_kind: PictureKind
    census: Census
    coverage: DelegateCoverage
    runtimes: tuple[RuntimeTrial, ...]
    oldest_runtime: str | None
    limits: Limits
    failures: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.failures

    @property
    def agreement(self) -> float | None:
        """That of the output that has least; None where no output has classes."""
        return min((o.agreement for o in self.outputs if o.agreement is not None), default=None)

    @property
    def cosine(self) -> float:
        """That of the output that has least."""
        return min(output.cosine for output in self.outputs)

    @property
    def sqnr_db(self) -> float:
        """That of the output that has least."""
        return min(output.sqnr_db for output in self.outputs)

    def raise_if_failed(
        self, where: str | None = None, *, report: object = None, hints: Sequence[str] | str = ()
    ) -> None:
        """Raise VerifyError unless it passed: it holds ``report``, else this; ``hints`` come before our own."""
        if self.passed:
            return
        stated = (hints,) if isinstance(hints, str) else tuple(hints)
        raise VerifyError(
            f"the converted model is not the float model any more: {'; '.join(self.failures)}",
            report=self if report is None else report,
            where=where,
            hints=(*stated, *self._hints()),
        )

    def _hints(self) -> tuple[str, ...]:
        hints = ["--keep-failed writes the file beside, to look into", "--explain shows each range and its source"]
        if self.picture_kind is PictureKind.SHAPES:
            hints.insert(0, "--calibrate FOLDER with a few dozen pictures of what the model will see")
        else:
            hints.insert(0, 'more, and more different, pictures; or --keep-float "LAYER*" for what costs most')
        return tuple(hints)

    def summary(self) -> dict[str, Any]:
        """What ``mnkit.json`` records: small, and the same whenever the same is converted."""
        agreement = self.agreement
        return {
            "agreement_percent": None if agreement is None else 100 * agreement,
            "macs_int8_percent": 100 * self.census.share(Numbers.INT8),
            "pictures": self.num_pictures,
            "sqnr_db": {o.name: round(min(o.sqnr_db, _MOST_RECORDED_DB), 1) for o in self.outputs},
        }

    def to_json(self) -> dict[str, Any]:
        """All of it, for ``--json`` and the report."""
        return {
            "passed": self.passed,
            "failures": list(self.failures),
            "remarks": list(self.remarks),
            "num_pictures": self.num_pictures,
            "picture_kind": str(self.picture_kind),
            "outputs": [output.to_json() for output in self.outputs],
            "census": self.census.to_json(),
            "coverage": {
                "num_operators": self.coverage.num_operators,
                "num_delegated": self.coverage.num_delegated,
                "delegate": self.coverage.delegate,
            },
            "runtimes": [trial.to_json() for trial in self.runtimes],
            "oldest_runtime": self.oldest_runtime,
            "limits": self.limits.to_json(),
        }
