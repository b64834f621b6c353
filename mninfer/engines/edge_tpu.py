"""The one accelerator known by name: Google's Edge TPU, whose models hold an operator that only its delegate runs."""

from mninfer.model_file.unlisted import EDGE_TPU_OPERATOR

__all__ = ["RUNTIME_HINT", "delegated_operators", "is_edge_tpu"]

RUNTIME_HINT = "install the Edge TPU runtime (package libedgetpu1-std): coral.ai/software/#edgetpu-runtime"


def is_edge_tpu(delegate: str | None) -> bool:
    """Whether a delegate's library is the Edge TPU's, by its name."""
    return delegate is not None and "edgetpu" in delegate


def delegated_operators(delegate: str | None) -> tuple[str, ...]:
    """The custom operators that a model may hold because this delegate takes them."""
    return (EDGE_TPU_OPERATOR,) if is_edge_tpu(delegate) else ()
