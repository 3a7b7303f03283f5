"""Errors of the local fleet: each says in one line what is wrong and what to do.

LocalError
├── UnsupportedError   this system cannot carry it
├── BuildError         a binary could not be built
├── PortInUseError     somebody else listens where the fleet would
├── DeadError          a process ended while it was waited for
├── DeadlineError      something did not come in its time
└── CommandError       a command of ours failed
"""


class LocalError(Exception):
    """Base of all errors that `modelfleet local` tells its user."""


class UnsupportedError(LocalError): ...


class BuildError(LocalError): ...


class PortInUseError(LocalError): ...


class DeadError(LocalError): ...


class DeadlineError(LocalError): ...


class CommandError(LocalError): ...
