"""What the records know of a model by name: its title, its input, its weights."""

from collections.abc import Sequence

from mnbench.record import MeasuredModel, Record

__all__ = ["about_of", "input_of", "model_of", "title_of"]


def model_of(records: Sequence[Record], name: str) -> MeasuredModel | None:
    """The model called ``name``, as the first record has it that knows it."""
    return next((model for record in records for model in record.models if model.name == name), None)


def title_of(records: Sequence[Record], name: str) -> str:
    """As ``MobileNet V1 1.0/224``; its name where nothing else is known."""
    model = model_of(records, name)
    return name if model is None else model.title or name


def about_of(records: Sequence[Record], name: str) -> str:
    """As ``Input 224 × 224 × 3; weights: random, seed 0.``; empty where nothing is known."""
    model = model_of(records, name)
    if model is None:
        return ""
    shape = " × ".join(map(str, model.input_shape))
    words = (f"input {shape}" if shape else "", f"weights: {model.weights}" if model.weights else "")
    text = "; ".join(word for word in words if word)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def input_of(records: Sequence[Record], name: str) -> tuple[int, ...] | None:
    """The shape of its input; None where no record knows the model."""
    model = model_of(records, name)
    return None if model is None else model.input_shape
