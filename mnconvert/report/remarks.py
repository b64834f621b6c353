"""What was remarked on the files of one run: each once, with the variants that it holds for where not for all."""

from collections.abc import Sequence

from mnconvert.conversion import Conversion
from mnconvert.report.names import variant_name

__all__ = ["remarks_on"]


def remarks_on(made: Sequence[Conversion]) -> tuple[str, ...]:
    """Sentences, in the order in which they came up."""
    names: dict[str, list[str]] = {}
    for each in made:
        for remark in each.report.verification.remarks:
            names.setdefault(remark, []).append(variant_name(each.report.config))
    return tuple(remark if len(of) == len(made) else f"{', '.join(of)}: {remark}" for remark, of in names.items())
