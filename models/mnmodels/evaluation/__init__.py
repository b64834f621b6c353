"""Models on labelled pictures: top-1 and top-5 with their errors, class by class, and pictures of what goes wrong.

The names below are the package's public face; they are imported when first used. Keras is needed for Keras files alone.
"""

from mninfer.lazy_names import lazy_names

TYPE_CHECKING = False  # what type checkers take for true: no import of typing for it
if TYPE_CHECKING:
    from mnmodels.evaluation.class_match import ClassMatch, match_classes
    from mnmodels.evaluation.confusion_picture import draw_confusion
    from mnmodels.evaluation.measure import evaluate
    from mnmodels.evaluation.mistakes_picture import draw_mistakes
    from mnmodels.evaluation.open_predictor import KerasConfig, is_tflite, open_keras_predictor
    from mnmodels.evaluation.predictor import Predictor
    from mnmodels.evaluation.result import Evaluation
    from mnmodels.evaluation.tflite_predictor import TFLitePredictor

__all__ = [
    "ClassMatch",
    "Evaluation",
    "KerasConfig",
    "Predictor",
    "TFLitePredictor",
    "draw_confusion",
    "draw_mistakes",
    "evaluate",
    "is_tflite",
    "match_classes",
    "open_keras_predictor",
]

_PACKAGE = "mnmodels.evaluation"
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        f"{_PACKAGE}.class_match": ("ClassMatch", "match_classes"),
        f"{_PACKAGE}.confusion_picture": ("draw_confusion",),
        f"{_PACKAGE}.mistakes_picture": ("draw_mistakes",),
        f"{_PACKAGE}.measure": ("evaluate",),
        f"{_PACKAGE}.open_predictor": ("KerasConfig", "is_tflite", "open_keras_predictor"),
        f"{_PACKAGE}.predictor": ("Predictor",),
        f"{_PACKAGE}.result": ("Evaluation",),
        f"{_PACKAGE}.tflite_predictor": ("TFLitePredictor",),
    },
)
