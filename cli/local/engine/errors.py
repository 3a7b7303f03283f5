"""What the engine answers instead of a completion, in OpenAI's form.

ApiError
├── BadRequestError          400: names the field
├── UnknownModelError        404
├── CrowdedError             429: too many wait
├── UnavailableError         503: told to refuse
└── TornError                no answer at all: the connection is cut, as by a crash
"""

import msgspec

_TYPES = {
    400: "BadRequestError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    405: "MethodNotAllowedError",
    413: "RequestTooLargeError",
    429: "RateLimitError",
    503: "ServiceUnavailableError",
}


class ApiError(Exception):
    """Ends a request with a status and a reason; `param` is the field that is to blame."""

    retry_after: int | None = None
    """Seconds after which to come back."""

    def __init__(self, status: int, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.param = status, message, param

    def body(self) -> bytes:
        kind = _TYPES.get(self.status, "InternalServerError")
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.status}
        return msgspec.json.encode({"error": error})


class BadRequestError(ApiError):
    def __init__(self, message: str, param: str | None = None) -> None:
        super().__init__(400, message, param)


class UnknownModelError(ApiError):
    def __init__(self, model: str) -> None:
        super().__init__(404, f"The model `{model}` does not exist.", "model")


class CrowdedError(ApiError):
    retry_after = 1

    def __init__(self, waiting: int) -> None:
        super().__init__(429, f"{waiting} requests wait already, and no more may.")


class UnavailableError(ApiError):
    def __init__(self, retry_after: int | None) -> None:
        super().__init__(503, "The engine was told to refuse requests.")
        self.retry_after = retry_after


class TornError(Exception):
    """The connection ends here; with `fatal` the whole engine does."""

    def __init__(self, *, fatal: bool) -> None:
        super().__init__()
        self.fatal = fatal
