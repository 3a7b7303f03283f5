"""A kubeconfig, read by the library that knows all that may be in one."""

from typing import Any

from kubernetes.client import Configuration
from kubernetes.config import ConfigException, load_kube_config
from yaml import MarkedYAMLError, YAMLError

from fleet.kube.config import Connection
from fleet.kube.credentials import Loaded
from fleet.kube.errors import ForbiddenError

Unusable = (ConfigException, YAMLError, OSError, ValueError, TypeError)
"""What the loader raises upon a file that is missing, no YAML, or no kubeconfig."""


def read(path: str, context: str) -> Connection:
    """Read a kubeconfig; ForbiddenError says what is wrong with it."""
    load: Any = load_kube_config

    def again() -> Any:
        configuration: Any = Configuration()
        try:
            load(path, context or None, configuration, persist_config=False)
        except MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            # Its own words quote the line, which may hold a token.
            raise ForbiddenError(f"kubeconfig {path}: line {line} is not YAML") from None
        except Unusable as error:
            raise ForbiddenError(f"kubeconfig {path}: {error}") from error
        return configuration

    loaded = again()
    return Connection(
        server=loaded.host,
        ca_file=loaded.ssl_ca_cert or "",
        cert_file=loaded.cert_file or "",
        key_file=loaded.key_file or "",
        verify=loaded.verify_ssl,
        credentials=Loaded(lambda: _bearer(again()), _bearer(loaded)),
    )


def _bearer(configuration: Any) -> str:
    given = configuration.get_api_key_with_prefix("BearerToken")
    if not given and configuration.username:
        given = configuration.get_basic_auth_token()
    return str(given or "")
