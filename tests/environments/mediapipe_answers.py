"""Run MediaPipe on models and pictures: its answers as JSON, for test_mediapipe.py. It needs nothing of ours.

python mediapipe_answers.py classify|detect MODEL... -- PICTURE...
"""

import json
import sys

import mediapipe
from mediapipe.tasks.python import BaseOptions, vision


def answers(task: str, model: str, pictures: list[str]) -> list[list[object]]:
    """The best answer for each picture: label and score, and for a detector the box."""
    base = BaseOptions(model_asset_path=model)
    if task == "classify":
        options = vision.ImageClassifierOptions(base_options=base, max_results=1)
        with vision.ImageClassifier.create_from_options(options) as classifier:
            best = [classifier.classify(read(picture)).classifications[0].categories[0] for picture in pictures]
        return [[category.category_name, category.score] for category in best]
    options = vision.ObjectDetectorOptions(base_options=base, max_results=1)
    with vision.ObjectDetector.create_from_options(options) as detector:
        found = [detector.detect(read(picture)).detections[0] for picture in pictures]
    return [[one.categories[0].category_name, one.categories[0].score, box(one.bounding_box)] for one in found]


def read(picture: str) -> mediapipe.Image:
    """A picture file."""
    return mediapipe.Image.create_from_file(picture)


def box(found: object) -> list[int]:
    """Left, top, right, bottom."""
    x, y, width, height = (getattr(found, name) for name in ("origin_x", "origin_y", "width", "height"))
    return [x, y, x + width, y + height]


if __name__ == "__main__":
    divider = sys.argv.index("--")
    models, files = sys.argv[2:divider], sys.argv[divider + 1 :]
    print(json.dumps([answers(sys.argv[1], one, files) for one in models]))
