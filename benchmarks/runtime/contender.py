"""One contender in a process of its own: reads picture paths from stdin, answers nanoseconds and label for each.

A picture is classified five times in a row and the median answered: the time of a process at work, not of one that the
others' turns have put to sleep.

usage: python contender.py mninfer|opencv|opencv_alike|mediapipe MODEL THREADS

``opencv`` is what one writes by hand: cv2.imread, resize, normalize, LiteRT. Its resize is OpenCV's default, bilinear,
of the whole picture, which is quick and leaves pixels out. ``opencv_alike`` makes what mninfer makes in OpenCV's own
way: the central crop, by INTER_AREA. ``mediapipe`` is its ImageClassifier.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

REPETITIONS = 5
CROP = 0.875  # as models.annotated_v1 has it


def mninfer_contender(model_path: str, threads: int) -> Callable[[str], str]:
    import mninfer

    model = mninfer.load(model_path, threads=threads)
    return lambda path: str(model.classify(path, top=5)[0].label)


def opencv_contender(model_path: str, threads: int) -> Callable[[str], str]:
    import cv2

    return _by_hand(model_path, threads, cv2.resize)


def opencv_alike_contender(model_path: str, threads: int) -> Callable[[str], str]:
    import cv2

    def crop_and_resize(picture: Any, size: tuple[int, int]) -> Any:
        height, width = picture.shape[:2]
        side = round(min(height, width) * CROP)
        top, left = (height - side) // 2, (width - side) // 2
        region = picture[top : top + side, left : left + side]
        return cv2.resize(region, size, interpolation=cv2.INTER_AREA)

    return _by_hand(model_path, threads, crop_and_resize)


def _by_hand(model_path: str, threads: int, resize: Callable[[Any, tuple[int, int]], Any]) -> Callable[[str], str]:
    import cv2
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=model_path, num_threads=threads)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]["index"]
    height, width = source["shape"][1:3]

    def classify(path: str) -> str:
        picture = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
        picture = resize(picture, (width, height))
        tensor: Any = (picture.astype(np.float32) - 127.5) / 127.5
        interpreter.set_tensor(source["index"], tensor[None])
        interpreter.invoke()
        return str(np.argsort(interpreter.get_tensor(target)[0])[-5:][-1])

    return classify


def mediapipe_contender(model_path: str, threads: int) -> Callable[[str], str]:
    del threads  # the task has no such option
    import mediapipe
    from mediapipe.tasks.python import vision
    from mediapipe.tasks.python.core.base_options import BaseOptions

    options = vision.ImageClassifierOptions(base_options=BaseOptions(model_asset_path=model_path), max_results=5)
    classifier = vision.ImageClassifier.create_from_options(options)

    def classify(path: str) -> str:
        result = classifier.classify(mediapipe.Image.create_from_file(path))
        return str(result.classifications[0].categories[0].category_name)

    return classify


CONTENDERS = {
    "mninfer": mninfer_contender,
    "opencv": opencv_contender,
    "opencv_alike": opencv_alike_contender,
    "mediapipe": mediapipe_contender,
}


def main() -> int:
    classify = CONTENDERS[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        elapsed_ns = []
        for _ in range(REPETITIONS):
            begin = time.perf_counter_ns()
            label = classify(line.rstrip("\n"))
            elapsed_ns.append(time.perf_counter_ns() - begin)
        print(json.dumps([sorted(elapsed_ns)[REPETITIONS // 2], label]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
