"""How layers are connected: Keras 2's lists and Keras 3's dictionaries, both to Calls of TensorRefs."""

from collections.abc import Mapping, Sequence
from typing import Any

from mninfer.errors import KerasFileError
from mnmodels.keras_file.description import Call, TensorRef
from mnmodels.keras_file.plain_values import plain, shown
from mnmodels.keras_file.tf_operations import TF_OPERATIONS

__all__ = ["read_calls", "read_tensors", "references"]

MAX_CALLS = 1000


def read_calls(nodes: Any, class_name: str) -> tuple[Call, ...]:
    """All calls of a layer, in the file's order. Raise KerasFileError where they are none."""
    if nodes is None or nodes == []:
        return ()
    if not isinstance(nodes, list) or len(nodes) > MAX_CALLS:
        raise _broken(class_name, nodes)
    if _is_tensor(nodes[0]):  # tf.keras' operations: the one node without its list around
        nodes = [nodes]
    return tuple(_keras_3(node, class_name) if isinstance(node, dict) else _keras_2(node, class_name) for node in nodes)


def _keras_3(node: Mapping[str, Any], class_name: str) -> Call:
    args, kwargs = node.get("args"), node.get("kwargs")
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise _broken(class_name, node)
    return Call(tuple(_value(item, class_name) for item in args), _kwargs(kwargs, class_name))


def _kwargs(kwargs: Mapping[str, Any], class_name: str) -> dict[str, Any]:
    return {name: _value(item, class_name) for name, item in kwargs.items() if _is_stated(name, item)}


def _is_stated(name: str, item: Any) -> bool:
    """Masks are made anew; ``training`` counts where it is fixed for good, as for a frozen network inside."""
    return item is not None and name != "mask" and (name != "training" or isinstance(item, bool))


def _value(item: Any, class_name: str) -> Any:
    """A tensor, a structure of tensors, a slice, or a constant."""
    if isinstance(item, list):
        return [_value(inner, class_name) for inner in item]
    if not isinstance(item, dict):
        return _constant(item, class_name)
    config = item.get("config")
    match item.get("class_name"):
        case "__keras_tensor__" if isinstance(config, dict):
            return _ref(config.get("keras_history"), class_name)
        case "__slice__" if isinstance(config, dict):
            return slice(*(_constant(config.get(end), class_name) for end in ("start", "stop", "step")))
        case "__ellipsis__":
            return ...
        case "__tuple__" if isinstance(item.get("items"), list):
            return tuple(_value(inner, class_name) for inner in item["items"])
        case None:
            return {str(name): _value(inner, class_name) for name, inner in item.items()}
    return _constant(item, class_name)


def _constant(item: Any, class_name: str) -> Any:
    try:
        return plain(item)
    except ValueError as error:
        raise KerasFileError(f"a {class_name} is called with {error}") from error


def _keras_2(node: Any, class_name: str) -> Call:
    """A list of [layer, node, tensor, keyword arguments]."""
    if _is_tensor(node):
        node = [node]
    if isinstance(node, dict):
        return _keras_3(node, class_name)
    if not isinstance(node, list) or not node:
        raise _broken(class_name, node)
    if class_name in TF_OPERATIONS:
        return _tf_operation(node)
    tensors = [_ref(tensor, class_name) for tensor in node]
    kwargs: dict[str, Any] = {}
    for tensor in node:
        if len(tensor) > 3 and isinstance(tensor[3], dict):
            kwargs |= {
                name: _ref(item, class_name) if _is_tensor(item) else _constant(item, class_name)
                for name, item in tensor[3].items()
                if _is_stated(name, item)
            }
    return Call((tensors[0] if len(tensors) == 1 else tensors,), kwargs)


def _tf_operation(node: Sequence[Any]) -> Call:
    """Tensors and numbers alone: the user states what is computed of them, in the order in which they stand here."""
    named = {name: item for each in node if isinstance(each, list) and len(each) > 3 and isinstance(each[3], dict)
             for name, item in each[3].items()}  # fmt: skip
    tensors = [TensorRef(*each[:3]) for each in node if _is_tensor(each) and min(each[1:3]) >= 0]
    kwargs = {
        name: TensorRef(*item[:3]) if _is_tensor(item) else item
        for name, item in named.items()
        if (_is_tensor(item) and min(item[1:3]) >= 0) or isinstance(item, int | float)
    }
    return Call(tuple(tensors), kwargs)


def _is_tensor(item: Any) -> bool:
    return (
        isinstance(item, list)
        and 3 <= len(item) <= 4
        and isinstance(item[0], str)
        and all(isinstance(index, int) and not isinstance(index, bool) for index in item[1:3])
    )


def _ref(item: Any, class_name: str) -> TensorRef:
    if not _is_tensor(item) or item[1] < 0 or item[2] < 0:
        raise _broken(class_name, item)
    return TensorRef(item[0], item[1], item[2])


def read_tensors(value: Any, name: str) -> Any:
    """A model's inputs or outputs in the structure that they had: one, a list, a dictionary."""
    if _is_tensor(value):
        return _ref(value, name)
    if isinstance(value, list) and value:
        tensors = [read_tensors(item, name) for item in value]
        return tensors[0] if len(tensors) == 1 and isinstance(tensors[0], TensorRef) else tensors
    if isinstance(value, dict) and value:
        return {str(key): read_tensors(item, name) for key, item in value.items()}
    raise _broken(name, value)


def references(value: Any) -> list[TensorRef]:
    """All tensors in a structure."""
    if isinstance(value, TensorRef):
        return [value]
    if isinstance(value, Mapping):
        return [ref for item in value.values() for ref in references(item)]
    if isinstance(value, list | tuple):
        return [ref for item in value for ref in references(item)]
    return []


def _broken(what: str, value: Any) -> KerasFileError:
    return KerasFileError(f"the configuration is damaged: {what} is connected to {shown(value)}")
