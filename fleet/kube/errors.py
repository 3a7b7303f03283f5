"""Errors of the Kubernetes API, named for what to do next.

KubeError
├── TransientError          429, 5xx, timeouts, lost connections: try again, later each time
│   └── StorageFullError    etcd takes no more: so it stays until somebody makes room
├── ConflictError           409, a `test` that failed, another uid: observe again, plan again
│   └── AlreadyExistsError  409 to a create
├── NotFoundError           404: usually a fact for the plan, not an error
│   └── NotServedError      the whole kind is not there: wait for its CRD
├── RejectedError           400, 422: the object is wrong; report it in a condition
├── ForbiddenError          401, 403: our own configuration is wrong
│   └── NotPermittedError   403: our account lacks a right, which the message names
├── ExpiredError            410: the history asked for is gone, list again
└── LeaseLostError          another leads now: stop
"""


class KubeError(Exception):
    """Base of all errors raised by `fleet.kube`."""


class TransientError(KubeError):
    """Goes by; not before `retry_after` seconds where the server said so."""

    def __init__(self, message: str, *, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StorageFullError(TransientError): ...


class ConflictError(KubeError): ...


class AlreadyExistsError(ConflictError): ...


class NotFoundError(KubeError): ...


class NotServedError(NotFoundError): ...


class RejectedError(KubeError): ...


class ForbiddenError(KubeError): ...


class NotPermittedError(ForbiddenError):
    """Goes by once somebody grants the right; no restart is needed."""


WAY_OUT = "the program's chart gives it this right: install it with rbac.create=true, or bind yours"
MAKE_ROOM = (
    "make room in the cluster's etcd: etcdctl compact, etcdctl defrag, etcdctl alarm disarm; "
    "or raise its --quota-backend-bytes; what waits is then written by itself"
)


def reason(error: Exception) -> dict[str, str]:
    """Say for the log what went wrong, and what mends it where we know that."""
    told = {"why": str(error) or type(error).__name__}
    match error:
        case NotPermittedError():
            return told | {"way_out": WAY_OUT}
        case StorageFullError():
            return told | {"way_out": MAKE_ROOM}
        case _:
            return told


class ExpiredError(KubeError): ...


class LeaseLostError(KubeError): ...
