"""How often a bundle's flatbuffers are right on labelled pictures: measured by mnmodels, kept with the model.

Latency says nothing without it: a variant that is fast and wrong is no choice.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mnbench.preparing.bundle import Bundle, file_key, write_bundle

if TYPE_CHECKING:
    from mnmodels.data import Pictures

__all__ = ["with_accuracy"]


def with_accuracy(bundle: Bundle, pictures: "Pictures", *, source: str, watch: Callable[[str], None]) -> Bundle:
    """The bundle with the top-1 of each of its variants on ``pictures``, which ``source`` names; written down there.

    Raises:
        InputError: a picture can't be used, or the classes of the pictures aren't the model's.
        PreprocessError: nothing says how pictures become the input of a flatbuffer by others.
    """
    accuracy = {name: dict(facts) for name, facts in bundle.model.accuracy.items()}
    for variant in sorted(bundle.variants):
        file = bundle.files.get(file_key(variant))
        if file is not None:
            watch(f"{bundle.model.name}: {variant} on {len(pictures)} pictures")
            accuracy[str(variant)] = {**_measured(str(file), pictures), "source": source}
    told = replace(bundle, model=replace(bundle.model, accuracy=accuracy))
    write_bundle(told)
    return told


def _measured(path: str, pictures: "Pictures") -> dict[str, Any]:
    import mninfer
    from mnmodels.evaluation import TFLitePredictor, evaluate, match_classes

    with mninfer.load(path) as model:
        predictor = TFLitePredictor(model, path)
        match = match_classes(pictures.labels, predictor.labels, predictor.num_classes)
        top1 = evaluate(predictor, pictures, match, num_mistakes=0).top1
    return {
        "top1_percent": round(100 * top1.rate, 2),
        "standard_error": round(100 * top1.standard_error, 2),
        "n": top1.total,
    }
