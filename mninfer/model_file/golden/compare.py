"""Compare what an engine gives on the golden pictures with what the model file records: ``mninfer check``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mninfer.errors import VerifyError
from mninfer.model_file.golden.run import Run, clearing, difference, tensor_digest
from mninfer.model_file.golden.vector import Array, GoldenOutput, GoldenVector
from mninfer.outputs import DetectionOutputs
from mninfer.preprocessing import Preprocessor, PreprocessSpec
from mninfer.tensors import TensorSpec

__all__ = ["FLOAT_TOLERANCE", "GoldenReport", "OutputComparison", "VectorComparison", "compare_golden"]

FLOAT_TOLERANCE = 1e-5  # of the output's peak where that is above 1, absolute below (probabilities)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputComparison:
    """One output. ``largest_difference`` is in steps if quantized, in places for indices, else in the output's unit."""

    index: int
    dtype: str
    largest_difference: float
    tolerance: float
    num_different: int

    @property
    def ok(self) -> bool:
        """Whether the difference is within the tolerance."""
        return self.largest_difference <= self.tolerance

    def to_json(self) -> dict[str, Any]:
        """As ``mninfer check --json`` prints it; a shape or dtype that differs has the difference null."""
        finite = np.isfinite(self.largest_difference)
        return {
            "output": self.index,
            "dtype": self.dtype,
            "largest_difference": self.largest_difference if finite else None,
            "tolerance": self.tolerance,
            "num_different": self.num_different,
            "ok": self.ok,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorComparison:
    """One golden picture."""

    index: int
    tensor_matches: bool
    outputs: tuple[OutputComparison, ...]

    @property
    def ok(self) -> bool:
        """Whether the prepared tensor is the recorded one and every output is near enough."""
        return self.tensor_matches and all(output.ok for output in self.outputs)

    def to_json(self) -> dict[str, Any]:
        """As ``mninfer check --json`` prints it."""
        outputs = [output.to_json() for output in self.outputs]
        return {"picture": self.index, "tensor_matches": self.tensor_matches, "outputs": outputs, "ok": self.ok}


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenReport:
    """The outcome of ``compare_golden``; ``is_exact`` says that quantized outputs had to match to the last bit."""

    engine: str
    is_exact: bool
    vectors: tuple[VectorComparison, ...]

    @property
    def ok(self) -> bool:
        """Whether every vector matches."""
        return all(vector.ok for vector in self.vectors)

    @property
    def message(self) -> str:
        """One sentence for people."""
        if self.ok:
            return f"{_count(len(self.vectors))} on {self.engine}: {self._closeness()}"
        if not all(vector.tensor_matches for vector in self.vectors):
            return f"the preprocessed picture is not the recorded one on {self.engine}: preprocessing differs"
        worst = max((o for v in self.vectors for o in v.outputs if not o.ok), key=lambda o: o.largest_difference)
        bad = sum(not vector.ok for vector in self.vectors)
        return (
            f"{bad} of {_count(len(self.vectors))} on {self.engine}: output {worst.index} ({worst.dtype}) is "
            f"{worst.largest_difference:.3g} {_unit(worst.dtype)} off, {worst.tolerance:.3g} allowed"
        )

    def _closeness(self) -> str:
        outputs = [output for vector in self.vectors for output in vector.outputs]
        worst = max((output.largest_difference for output in outputs), default=0.0)
        if worst == 0:
            return "identical"
        if len(outputs) > len(self.vectors):  # several outputs have no unit in common
            return "within tolerance"
        return f"within tolerance, at most {worst:.3g} {_unit(outputs[0].dtype)}".rstrip() + " off"

    def raise_if_different(self, where: str | None = None) -> None:
        """Raise VerifyError, which holds this report, unless everything matches."""
        if not self.ok:
            hints = ["take the file from its source again, or convert it again with this mnkit"]
            if not self.is_exact:
                hints.insert(0, "run it on LiteRT, where golden vectors are made: --engine litert")
            raise VerifyError(f"the model does not give its golden outputs: {self.message}", report=self, where=where,
                              hints=hints)  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """As ``mninfer check --json`` prints it."""
        vectors = [vector.to_json() for vector in self.vectors]
        return {"ok": self.ok, "engine": self.engine, "is_exact": self.is_exact, "message": self.message,
                "vectors": vectors}  # fmt: skip


def compare_golden(
    vectors: Sequence[GoldenVector],
    *,
    run: Run,
    preprocess: PreprocessSpec,
    tensor: TensorSpec,
    engine: str,
    uses_xnnpack: bool,
    detection: DetectionOutputs | None = None,
) -> GoldenReport:
    """Run ``vectors`` and compare. Quantized outputs must be equal where XNNPACK computes them, as at their making."""
    run = clearing(run, detection)
    prepare = Preprocessor(preprocess, tensor)
    compared = []
    for vector in vectors:
        prepared = prepare(vector.picture())
        outputs = run([prepared])
        compared.append(
            VectorComparison(
                index=vector.index,
                tensor_matches=tensor_digest(prepared) == vector.tensor_sha256,
                outputs=tuple(_compare_outputs(vector.outputs, outputs, is_exact=uses_xnnpack)),
            )
        )
    return GoldenReport(engine=engine, is_exact=uses_xnnpack, vectors=tuple(compared))


def _compare_outputs(
    recorded: Sequence[GoldenOutput], got: Sequence[Array], *, is_exact: bool
) -> list[OutputComparison]:
    arrays = [*got, *([None] * len(recorded))][: len(recorded)]
    return [
        _compare(index, output, array, is_exact=is_exact)
        for index, (output, array) in enumerate(zip(recorded, arrays, strict=True))
    ]


def _compare(index: int, recorded: GoldenOutput, got: Array | None, *, is_exact: bool) -> OutputComparison:
    expected = recorded.array()
    if got is None or got.shape != expected.shape or got.dtype.name != recorded.dtype:
        apart, different = float("inf"), int(expected.size)
    else:
        apart, different = difference(expected, got), int(np.count_nonzero(expected != got))
    return OutputComparison(
        index=index,
        dtype=recorded.dtype,
        largest_difference=apart,
        tolerance=_tolerance(recorded, expected, is_exact=is_exact),
        num_different=different,
    )


def _tolerance(recorded: GoldenOutput, expected: Array, *, is_exact: bool) -> float:
    leeway = 0.0 if is_exact and recorded.is_exact else float(recorded.leeway)
    if expected.dtype.kind != "f":
        return leeway
    peak = float(np.max(np.abs(expected[np.isfinite(expected)]), initial=0.0))
    return max(leeway, FLOAT_TOLERANCE * max(1.0, peak))


def _unit(dtype: str) -> str:
    if dtype in ("int32", "int64", "bool"):
        return "places"
    return "" if dtype.startswith("float") else "steps"


def _count(number: int) -> str:
    return f"{number} golden vector" + ("" if number == 1 else "s")
