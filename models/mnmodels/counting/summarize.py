"""Count a network, whatever it is: a Keras model or a checked TFLite graph."""

from typing import Any

from mninfer.model_file.graph import Graph
from mnmodels.counting.summary import Summary

__all__ = ["summarize"]


def summarize(model_or_graph: Any, *, name: str | None = None, input_size: tuple[int, int] | None = None) -> Summary:
    """Count parameters, multiply-adds and peak activation memory for a batch of 1.

    ``input_size`` is (width, height), for a model that leaves it open.

    >>> from mnmodels import build_model
    >>> net = summarize(build_model("mobilenet_v1", alpha=0.25, form="cifar_small", classes=10))
    >>> net.macs, net.flops, net.parameters, net.trainable, net.peak.size_bytes
    (9181696, 18363392, 221114, 215642, 110592)
    """
    if isinstance(model_or_graph, Graph):
        from mnmodels.counting.flatbuffer import summarize_flatbuffer

        return summarize_flatbuffer(model_or_graph, name=name or "the graph", input_size=input_size)
    from mnmodels.counting.keras_model import summarize_keras

    return summarize_keras(model_or_graph, name=name, input_size=input_size)
