"""Train the small network that tests and the demo use, in numpy, and write its weights.

usage: python tools/train_shapes.py [tests/support/shapes.npz]

Two minutes on one core. Seeded; but the last bits depend on the machine's matrix library, so the weights are committed
and everything else is made from them.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from support.network import forward, initial_network, normalize, save_network, train
from support.pictures import CLASSES, shape_pictures

CHANNELS = [(12, 2), (24, 2), (32, 1), (48, 2), (64, 1)]


def main() -> int:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "tests/support/shapes.npz"
    pictures, labels = shape_pictures(4000, seed=1)
    network = initial_network(CHANNELS, len(CLASSES), seed=0)
    network, losses = train(network, normalize(pictures), labels, epochs=45, seed=0)
    pictures, labels = shape_pictures(1000, seed=2)
    right = forward(network, normalize(pictures)).argmax(1) == labels
    save_network(out, network)
    error = (right.mean() * (1 - right.mean()) / len(right)) ** 0.5
    print(f"loss {losses[-1]:.3f}; {right.mean():.1%} ± {error:.1%} of {len(right)} unseen pictures; wrote {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
