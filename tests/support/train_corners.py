"""A training run in a process of its own: FOLDER DEVICES [--resume] [--slow]."""

import sys
import time
from pathlib import Path

from mnmodels.training.recipe import AugmentSpec
from mnmodels.training.run import Watcher, train
from support.corners import Corners, small_network, small_recipe


class Slow(Watcher):
    """Leaves time to be killed within an epoch."""

    def stepped(self, step: int, steps: int, loss: float, accuracy: float) -> None:
        time.sleep(0.15)


folder, devices, *flags = sys.argv[1:]
train(
    small_recipe(augment=AugmentSpec(pad=1, flip=False)),
    Corners(192, 0),
    Corners(80, 1),
    Path(folder),
    devices=int(devices),
    resume="--resume" in flags,
    watcher=Slow() if "--slow" in flags else None,
    start=small_network,
)
