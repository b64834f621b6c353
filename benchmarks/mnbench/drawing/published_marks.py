"""Others' figures, as marks beside ours: those of the same model, work and number format."""

from collections.abc import Collection
from dataclasses import dataclass

from mnbench.cell import Device, Variant, Work
from mnbench.showing.published import DEVICE_FIGURES, DEVICE_MODELS, FIGURES_2017, MODEL_2017, SOURCE_2017

__all__ = ["PublishedLine", "published_lines"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedLine:
    """One device's figures, each of a variant, in milliseconds; ``source`` says who measured."""

    name: str
    source: str
    figures: tuple[tuple[Variant, float], ...]


def published_lines(
    model: str, work: Work, variants: Collection[Variant], devices: Collection[Device]
) -> tuple[PublishedLine, ...]:
    """What has been published of ``model``, of any of the ``variants``, on any kind of the ``devices``."""
    lines = [_line_2017(work, device) for device in Device if device in devices and model == MODEL_2017]
    if work is Work.FORWARD and Device.CPU in devices:
        lines += _of_devices(model)
    kept = (
        PublishedLine(
            name=line.name, source=line.source, figures=tuple(each for each in line.figures if each[0] in variants)
        )
        for line in lines
    )
    return tuple(line for line in kept if line.figures)


def _line_2017(work: Work, device: Device) -> PublishedLine:
    figures: list[tuple[Variant, float]] = []
    for row in FIGURES_2017:
        ms = {Work.FORWARD: row.forward, Work.FORWARD_BACKWARD: row.forward_backward}.get(work)
        if row.device is device and ms is not None:
            figures.append((Variant.INT8 if row.is_quantized else Variant.FLOAT32, float(ms)))
    name = {Device.CPU: "Xeon E3-1231 v3, TF 1", Device.GPU: "GTX 1060, TF 1"}[device]
    return PublishedLine(name=name, source=SOURCE_2017, figures=tuple(figures))


def _of_devices(model: str) -> list[PublishedLine]:
    return [
        PublishedLine(
            name=each.device,
            source=each.source,
            figures=tuple(
                (Variant(variant), float(ms))
                for (name, variant), ms in zip(DEVICE_MODELS, each.milliseconds, strict=True)
                if name == model
            ),
        )
        for each in DEVICE_FIGURES
    ]
