"""What a TFOpLambda of tf.keras computes, as an expression that a user can state: a suggestion, nothing is replaced."""

from mnmodels.keras_file.description import Call, TensorRef

__all__ = ["TF_OPERATIONS", "expression_of"]

TF_OPERATIONS = frozenset({"TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"})

_SIGNS = {
    "__operators__.add": "+",
    "math.add": "+",
    "math.subtract": "-",
    "math.multiply": "*",
    "math.truediv": "/",
    "math.divide": "/",
    "compat.v1.div": "/",
    "math.pow": "**",
}
_FUNCTIONS = {"nn.relu6": "relu6(x)", "nn.relu": "relu(x)", "math.sigmoid": "sigmoid(x)", "math.abs": "abs(x)",
              "math.sqrt": "sqrt(x)", "math.exp": "exp(x)", "math.tanh": "tanh(x)", "math.negative": "-x",
              "math.square": "x**2", "identity": "x", "stop_gradient": "x"}  # fmt: skip


def expression_of(function: str, call: Call) -> str | None:
    """Such as ``x/127.5`` for math.truediv called with y=127.5; None for what is no arithmetic.

    >>> expression_of("math.truediv", Call((TensorRef("input_1", 0, 0),), {"y": 127.5}))
    'x/127.5'
    """
    name = function.removeprefix("tf.")
    if name in _FUNCTIONS:
        return _FUNCTIONS[name]
    other = call.kwargs.get("y")
    if name not in _SIGNS or len(call.args) != 1 or not isinstance(call.args[0], TensorRef):
        return None
    if isinstance(other, TensorRef):
        return f"x{_SIGNS[name]}y"
    if isinstance(other, bool) or not isinstance(other, int | float):
        return None
    return f"x{_SIGNS[name]}{other!r}" if other >= 0 else f"x{_SIGNS[name]}({other!r})"
