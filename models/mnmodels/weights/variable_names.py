"""The last part of a weight's name, in every spelling -> the variable's name in Keras 3; and what is no weight."""

import re

__all__ = ["is_bookkeeping", "split_name", "without_average"]

_VARIABLES = {
    "kernel": ("kernel", "depthwise_kernel", "weights", "depthwise_weights", "weight", "W", "w"),
    "bias": ("bias", "biases", "b"),
    "gamma": ("gamma", "scale"),
    "beta": ("beta", "offset"),
    "moving_mean": ("moving_mean", "running_mean"),
    "moving_variance": ("moving_variance", "running_var", "running_std"),  # Keras 1 called the variance std
}
_NAME_OF = {spelling: name for name, spellings in _VARIABLES.items() for spelling in spellings}
_AVERAGE = re.compile(r"(.*)/ExponentialMovingAverage(:\d+)?", re.DOTALL)
_BOOKKEEPING = re.compile(
    r"(?:.*/)?(?:global_step|global_epoch|cur_epoch|learning_rate|beta[12]_power|save_counter|iterations?|local_step)"
    r"|.*/(?:Adam|Adam_1|Momentum|RMSProp|RMSProp_1|Adagrad|Adadelta|Adadelta_1|Ftrl|Ftrl_1|AdamW|AdamW_1|biased"
    r"|local_step)"
    r"|(?:optimizer|optimizer_weights)/.*|.*/\.OPTIMIZER_SLOT/.*|train_counter|.*/seed_generator(?:_state|/vars/\d+)"
)


def without_average(name: str) -> tuple[str, bool]:
    """The weight's own name, and whether this is its average over the steps of training (TF's EMA), which is better."""
    match = _AVERAGE.fullmatch(name)
    return (match[1] + (match[2] or ""), True) if match else (name, False)


def is_bookkeeping(name: str) -> bool:
    """Whether this is training's own state: a counter, an optimizer's slot.

    >>> is_bookkeeping("MobilenetV1/Conv2d_0/weights/RMSProp_1")
    True
    """
    return _BOOKKEEPING.fullmatch(_plain(name)) is not None


def split_name(name: str) -> tuple[str, str | None]:
    """The path of a weight's layer, and the variable as Keras calls it; None where the last part names none.

    >>> split_name("MobilenetV1/Conv2d_1_depthwise/depthwise_weights:0")
    ('MobilenetV1/Conv2d_1_depthwise', 'kernel')
    """
    path, _, last = _plain(name).rpartition("/")
    return path, _NAME_OF.get(last)


def _plain(name: str) -> str:
    """Without ":0", which TensorFlow gives a variable's output, and without what its objects' checkpoints append."""
    return re.sub(r":\d+\Z", "", name).removesuffix("/.ATTRIBUTES/VARIABLE_VALUE")
