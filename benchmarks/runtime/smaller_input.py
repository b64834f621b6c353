"""A Keras network with another input size, its weights as they are, as a float flatbuffer.

usage: python smaller_input.py KERAS_FILE SIZE OUT.tflite       (in an environment with mnkit's extra ``train``)
"""

import sys
from pathlib import Path

import keras

import mnconvert
from mnmodels.keras_file import load_keras


def main() -> int:
    source, size, out = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    network = load_keras(source).model
    smaller = keras.models.clone_model(network, input_tensors=keras.Input((size, size, 3)))
    smaller.set_weights(network.get_weights())
    out.write_bytes(mnconvert.convert(smaller).data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
