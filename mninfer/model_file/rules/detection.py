"""The custom operator TFLite_Detection_PostProcess: boxes, scores and anchors to the detections that remain."""

from math import isfinite

from mninfer.errors import ModelFileError
from mninfer.model_file.rules.flexbuffer import read_map
from mninfer.model_file.rules.site import Shape, Site

__all__ = ["detection_postprocess"]

MAX_DETECTIONS = 100_000
_COUNTS = ("max_detections", "max_classes_per_detection", "num_classes")
_SCALES = ("x_scale", "y_scale", "w_scale", "h_scale")


def detection_postprocess(site: Site) -> list[Shape]:
    """Boxes [1, n, 4], scores [1, n, classes or classes + 1], anchors [n, 4]."""
    batch, num_boxes, four = site.shape(0, 3)
    num_scores, num_columns = site.shape(1, 3)[1:]
    if (batch, four) != (1, 4) or site.shape(1)[0] != 1 or num_scores != num_boxes or site.shape(2) != (num_boxes, 4):
        site.fail(f"shapes {[list(site.shape(i)) for i in range(3)]} of boxes, scores and anchors do not fit")
    options = _options(site)
    num_classes = int(options["num_classes"])
    if num_columns - num_classes not in (0, 1):
        site.fail(f"scores for {num_columns} classes, num_classes is {num_classes}")
    if options["max_classes_per_detection"] > num_classes:
        site.fail(f"max_classes_per_detection is {options['max_classes_per_detection']} of {num_classes} classes")
    num_kept = int(options["max_detections"] * options["max_classes_per_detection"])
    if num_kept > MAX_DETECTIONS:
        site.fail(f"{num_kept} detections")
    site.workspace_bytes = 4 * num_boxes * (4 + 2 * num_columns) + 16 * num_kept
    return [(1, num_kept, 4), (1, num_kept), (1, num_kept), (1,)]


def _options(site: Site) -> dict[str, float]:
    try:
        found = read_map(site.operator.custom_options)
    except ModelFileError as error:
        site.fail(error.what)
    options: dict[str, float] = {}
    for name in (*_COUNTS, *_SCALES, "nms_score_threshold", "nms_iou_threshold"):
        value = found.get(name)
        if value is None or not isfinite(value):
            site.fail(f"option {name} is missing or no number")
        options[name] = value
    for name in _COUNTS:
        if not 1 <= options[name] <= MAX_DETECTIONS:
            site.fail(f"option {name} is {options[name]}")
    if any(not 0 < options[name] < 1e6 for name in _SCALES):
        site.fail(f"box scales {[options[name] for name in _SCALES]}")
    per_class = found.get("detections_per_class", 100)
    if per_class is None or not 1 <= per_class <= MAX_DETECTIONS:
        site.fail(f"option detections_per_class is {per_class}")
    if not 0 < options["nms_iou_threshold"] <= 1:
        site.fail(f"option nms_iou_threshold is {options['nms_iou_threshold']}, not above 0 and at most 1")
    return options
