"""What weight decay is applied to."""

import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="needs Keras: make test")

from mnmodels.training.optimizer import make_optimizer  # noqa: E402
from mnmodels.training.recipe import OptimizerSpec  # noqa: E402
from support.corners import small_recipe  # noqa: E402

layers = keras.layers


def network() -> object:
    inside = keras.Sequential([keras.Input((8, 8, 4)), layers.DepthwiseConv2D(3, name="inner_depthwise")], name="in")
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 1, name="pointwise")(layers.DepthwiseConv2D(3, padding="same", name="depthwise")(inputs))
    return keras.Model(inputs, layers.Dense(2, name="dense")(layers.BatchNormalization(name="norm")(inside(x))))


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adamw"])
@pytest.mark.parametrize("decays_depthwise", [False, True])
def test_kernels_are_decayed_and_depthwise_ones_only_if_asked(name: str, decays_depthwise: bool) -> None:
    model = network()
    spec = OptimizerSpec(name=name, weight_decay=0.5, decay_depthwise=decays_depthwise)
    optimizer = make_optimizer(small_recipe(optimizer=spec), np.ones(2, np.float32), model)
    variables = model.trainable_variables
    for variable in variables:
        variable.assign(np.ones(variable.shape))
    optimizer.apply([np.zeros(variable.shape, np.float32) for variable in variables], variables)
    decayed = {each.path.split("/")[-2] for each in variables if float(each.numpy().max()) < 1}
    assert decayed == {"pointwise", "dense"} | ({"depthwise", "inner_depthwise"} if decays_depthwise else set())
