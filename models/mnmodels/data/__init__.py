"""Labelled pictures from anywhere: folders, archives, CIFAR, ImageNet, TFRecords. Needs neither Keras nor TensorFlow.

``open_data`` says what is there; ``Pictures`` is what it gives.
"""

from mnmodels.data.array_pictures import ArrayPictures
from mnmodels.data.file_pictures import FolderPictures
from mnmodels.data.open_data import OnCorrupt, open_data
from mnmodels.data.pictures import Pictures, SkippedPicture

__all__ = ["ArrayPictures", "FolderPictures", "OnCorrupt", "Pictures", "SkippedPicture", "open_data"]
