"""Labelled pictures from anywhere: folders, archives, CIFAR, ImageNet, TFRecords. Needs neither Keras nor TensorFlow.

``open_data`` says what is there; ``Pictures`` is what it gives.
"""

from mnmodels.data.array_pictures import ArrayPictures
from mnmodels.data.file_pictures import FolderPictures
from mnmodels.data.open_data import OnCorrupt, open_data
from mnmodels.data.pictures import Pictures, SkippedPicture
from mnmodels.data.record_pictures import RecordPictures
from mnmodels.data.split_pictures import balanced_subset, split_pictures

__all__ = [
    "ArrayPictures",
    "FolderPictures",
    "OnCorrupt",
    "Pictures",
    "RecordPictures",
    "SkippedPicture",
    "balanced_subset",
    "open_data",
    "split_pictures",
]
