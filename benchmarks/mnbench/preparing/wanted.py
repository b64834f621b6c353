"""What a bundle is to hold: flatbuffers by variant and batch, and the input of each batch."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from mnbench.axes import FORMS
from mnbench.cell import Variant
from mnbench.preparing.bundle import Bundle, file_key

__all__ = ["Form", "Wanted", "wanted_of"]

Form = tuple[Variant, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """``forms`` in the order in which they are made."""

    forms: tuple[Form, ...]
    batches: tuple[int, ...]

    def forms_lacking(self, bundle: Bundle | None) -> tuple[Form, ...]:
        """What ``bundle`` neither has nor knows to be impossible."""
        known: Mapping[str, Any] = {} if bundle is None else {**bundle.stored, **bundle.missing}
        return tuple(form for form in self.forms if file_key(*form) not in known)

    def batches_lacking(self, bundle: Bundle | None) -> tuple[int, ...]:
        return tuple(batch for batch in self.batches if bundle is None or batch not in bundle.inputs)

    def is_held_by(self, bundle: Bundle) -> bool:
        return not self.forms_lacking(bundle) and not self.batches_lacking(bundle)


def wanted_of(
    variants: Collection[Variant], batches: Collection[int], flatbuffers: Collection[Form] | None = None
) -> Wanted:
    """All variants that a flatbuffer can have at all batches; or only ``flatbuffers``, and the batches' inputs."""
    asked = [(variant, batch) for batch in sorted(set(batches)) for variant in variants]
    chosen = asked if flatbuffers is None else list(flatbuffers)
    forms = [(variant, batch) for variant, batch in chosen if variant in FORMS]
    order = list(FORMS)
    forms.sort(key=lambda form: (form[1], order.index(form[0])))
    return Wanted(tuple(dict.fromkeys(forms)), tuple(sorted({*batches, *(batch for _, batch in forms)})))
