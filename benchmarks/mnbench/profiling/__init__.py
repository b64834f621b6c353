"""How long each operator of a flatbuffer takes: cut out as a model of its own, and timed in the engine of the whole.

The engines' Python interfaces tell no times of operators. What an engine computes in one go stays in one piece.
"""

from mninfer.lazy_names import lazy_names

TYPE_CHECKING = False  # what type checkers take for true: no import of typing for it
if TYPE_CHECKING:
    from mnbench.profiling.profile import OperatorTime, Profile
    from mnbench.profiling.timing import ProfileConfig, profile_flatbuffer, profile_job

__all__ = ["OperatorTime", "Profile", "ProfileConfig", "profile_flatbuffer", "profile_job"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "mnbench.profiling.profile": ("OperatorTime", "Profile"),
        "mnbench.profiling.timing": ("ProfileConfig", "profile_flatbuffer", "profile_job"),
    },
)
