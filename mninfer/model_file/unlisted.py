"""Name every operator of a model that mnkit doesn't know, with what to do about each kind."""

from collections.abc import Collection

from mninfer.errors import ModelFileError, UnsupportedModelError
from mninfer.model_file.graph import Graph, Operator
from mninfer.model_file.operators import load_operators

__all__ = ["EDGE_TPU_OPERATOR", "refuse_unlisted"]

EDGE_TPU_OPERATOR = "edgetpu-custom-op"


def refuse_unlisted(graph: Graph, *, allow_unlisted_ops: bool, allow_custom: Collection[str]) -> None:
    """Raise UnsupportedModelError listing all operators, or versions of them, that are outside the table."""
    listed, custom = load_operators()
    offenders: dict[str, None] = {}
    for operator in graph.operators:
        facts = (custom if operator.is_custom else listed).get(operator.name)
        if operator.version < 1:
            raise ModelFileError(f"{operator}: version {operator.version}")
        if operator.is_custom and operator.name in allow_custom:
            continue
        if facts is None:
            offenders[operator.name or "custom operator without a name"] = None
        elif operator.version > len(facts.runtime):
            offenders[f"{operator.name} version {operator.version}"] = None
    if offenders:
        _refuse(tuple(offenders), graph.operators, allow_unlisted_ops=allow_unlisted_ops)


def _refuse(offenders: tuple[str, ...], operators: tuple[Operator, ...], *, allow_unlisted_ops: bool) -> None:
    custom = {operator.name for operator in operators if operator.is_custom}
    if EDGE_TPU_OPERATOR in offenders:
        raise UnsupportedModelError(
            "the model is compiled for an Edge TPU and runs nowhere else",
            offenders=offenders,
            hints=(
                'with the device plugged in: --delegate libedgetpu.so.1 (delegate="libedgetpu.so.1")',
                "use the file it was compiled from, without _edgetpu in its name",
            ),
        )
    flex = [name for name in offenders if name in custom and name.startswith("Flex")]
    if flex:
        raise UnsupportedModelError(
            f"the model needs TensorFlow to run: {', '.join(flex)}",
            offenders=offenders,
            hints="convert it again with supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS] only",
        )
    if not allow_unlisted_ops:
        raise UnsupportedModelError(
            f"the model uses operators that mnkit has no rules for: {', '.join(offenders)}",
            offenders=offenders,
            hints="--allow-unlisted-ops (allow_unlisted_ops=True), if you trust where the file comes from",
        )
