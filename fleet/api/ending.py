"""Why an object is being deleted."""

from enum import Enum, auto


class Ending(Enum):
    OWN = auto()
    """Somebody deleted this very object."""
    WITH_KIND = auto()
    """Its CRD was removed: that says nothing about the object."""
    UNKNOWN = auto()
    """It is to be looked at again in a moment."""
