"""How often a converted file is right, beside the float model that it was made from; which layers stay float for it."""

from mnconvert.accuracy.damage import damage_by_operator
from mnconvert.accuracy.drop import Attempt, DropReport, Kept, find_kept_float, report_drop
from mnconvert.accuracy.ranking import Ranking, rank_pictures
from mnconvert.accuracy.report import AccuracyReport, PairedDifference, compare_rankings

__all__ = [
    "AccuracyReport",
    "Attempt",
    "DropReport",
    "Kept",
    "PairedDifference",
    "Ranking",
    "compare_rankings",
    "damage_by_operator",
    "find_kept_float",
    "rank_pictures",
    "report_drop",
]
