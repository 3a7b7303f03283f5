"""Errors of the Kubernetes API, named for what to do next.

KubeError
├── TransientError          429, 5xx, timeouts, lost connections: try again, later each time
├── ConflictError           409, a `test` that failed, another uid: observe again, plan again
│   └── AlreadyExistsError  409 to a create
├── NotFoundError           404: usually a fact for the plan, not an error
├── RejectedError           400, 422: the object is wrong; report it in a condition
├── ForbiddenError          401, 403: our own configuration is wrong
├── NotServedError          a kind that does not come: stop, and say which
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


class ConflictError(KubeError): ...


class AlreadyExistsError(ConflictError): ...


class NotFoundError(KubeError): ...


class RejectedError(KubeError): ...


class ForbiddenError(KubeError): ...


class NotServedError(KubeError): ...


class ExpiredError(KubeError): ...


class LeaseLostError(KubeError): ...
