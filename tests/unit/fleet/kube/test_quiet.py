"""What the server says of a Secret that it refuses is not repeated; all else is."""

import pytest

from fleet.kube.errors import (
    AlreadyExistsError,
    ConflictError,
    ForbiddenError,
    KubeError,
    NotFoundError,
    RejectedError,
    TransientError,
)
from fleet.kube.quiet import unquoted
from fleet.kube.resources import ApiResource

SECRETS = ApiResource("v1", "Secret", "secrets", namespaced=True)
OTHERS = (
    ApiResource("v1", "ConfigMap", "configmaps", namespaced=True),
    ApiResource("other.dev/v1", "Secret", "secrets", namespaced=True),
)
QUOTING = "expected map, got hunter2"
PATH = "/api/v1/namespaces/demo/secrets/phi"


def said(resource: ApiResource, error: KubeError) -> str:
    with pytest.raises(type(error)) as caught, unquoted(resource, PATH):
        raise error
    assert caught.value is error
    return str(caught.value)


@pytest.mark.parametrize(
    "error",
    [RejectedError(QUOTING), ForbiddenError(QUOTING), TransientError(QUOTING, retry_after=7)],
)
def test_a_secret_is_named_and_not_quoted(error: KubeError) -> None:
    text = said(SECRETS, error)
    assert "hunter2" not in text
    assert PATH in text
    assert getattr(error, "retry_after", 7) == 7


@pytest.mark.parametrize("error", [ConflictError(QUOTING), AlreadyExistsError(QUOTING)])
def test_what_holds_no_values_is_said(error: KubeError) -> None:
    assert said(SECRETS, error) == QUOTING
    assert said(SECRETS, NotFoundError("no such namespace")) == "no such namespace"


@pytest.mark.parametrize("resource", OTHERS)
def test_of_other_kinds_the_server_s_words_are_kept(resource: ApiResource) -> None:
    assert said(resource, RejectedError(QUOTING)) == QUOTING
