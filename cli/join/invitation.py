"""What a member's side needs, as Helm values, manifests, a script and a document. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from shlex import join
from typing import Any, Final

import yaml

from cli.charts import NAMESPACE
from cli.join.address import HubAddress
from fleet.api import names
from fleet.api.times import stamp

SECRET: Final = "modelfleet-hub-token"  # noqa: S105
TOKEN: Final = "token"  # noqa: S105
"""Key in the Secret's data."""
MANAGER: Final = "modelfleet-cli"
CRDS, AGENT = "modelfleet-crds", "modelfleet-member-agent"
CHARTS: Final = {CRDS: "crds", AGENT: "member-agent"}
"""Releases and their charts, in the order in which they are installed."""
_END: Final = "MODELFLEET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    member: str
    hub: HubAddress
    token: str = field(repr=False)
    expires: datetime
    charts: str
    """Where the charts are."""


@dataclass(frozen=True, slots=True)
class Files:
    """Where the parts lie that are not to be on a screen; empty: on the screen."""

    token: str = ""
    ca: str = ""
    manifests: str = ""
    values: str = ""


def values(invitation: Invitation) -> dict[str, Any]:
    """Return the agent's Helm values; none of them is secret."""
    ca = {"ca": invitation.hub.ca} if invitation.hub.ca else {}
    return {"cluster": invitation.member, "hub": {"url": invitation.hub.url, **ca}}


def manifests(invitation: Invitation) -> list[dict[str, Any]]:
    """Return the namespace of our programs, and the token in it."""
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": SECRET, "namespace": NAMESPACE},
            "stringData": {TOKEN: invitation.token},
        },
    ]


def helm(release: str, charts: str, *more: str) -> list[str]:
    """Return the words after `helm` that install a release, or bring it to what it should be."""
    chart = f"{charts.rstrip('/')}/{CHARTS[release]}"
    place = ["--namespace", NAMESPACE, "--create-namespace"]
    return ["upgrade", "--install", release, chart, *place, *more]


def script(invitation: Invitation, files: Files, *, renew: bool) -> str:
    """Return shell commands for the member, one of which holds the token where no file does."""
    name, ends = invitation.member, f"{invitation.expires:%Y-%m-%d %H:%M} UTC"
    holds = f"`{files.manifests}` holds" if files.manifests else "this holds"
    lines = [
        f"# For the cluster {name}, by whoever is its admin: {holds} a token, valid until {ends}.",
        _with_input(_apply(), files.manifests, as_yaml(*manifests(invitation))),
    ]
    if not renew:
        lines.append(join(["helm", *helm(CRDS, invitation.charts)]))
        agent = ["helm", *helm(AGENT, invitation.charts, "--values")]
        lines.append(_with_input(agent, files.values, as_yaml(values(invitation))))
    return "\n".join(lines)


class _Readable(yaml.SafeDumper):
    """Certificates and the like as they are, line by line."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Readable.add_representer(str, _text)


def as_yaml(*documents: Mapping[str, Any]) -> str:
    return yaml.dump_all(documents, Dumper=_Readable, sort_keys=False)


def _apply() -> list[str]:
    return [
        "kubectl",
        "apply",
        "--server-side",
        "--force-conflicts",
        f"--field-manager={MANAGER}",
        "--filename",
    ]


def _with_input(words: list[str], file: str, text: str) -> str:
    if file:
        return join([*words, file])
    return f"{join([*words, '-'])} <<'{_END}'\n{text}{_END}"


def document(invitation: Invitation, files: Files) -> dict[str, Any]:
    """Return what `-o json` and `-o yaml` print; a token that is in a file is not in it."""
    kept = {"file": files.token} if files.token else {"value": invitation.token}
    return {
        "member": invitation.member,
        "namespace": names.member_namespace(invitation.member),
        "hub": {"url": invitation.hub.url, "ca": invitation.hub.ca},
        "token": {**kept, "expires": stamp(invitation.expires)},
        "secret": {"namespace": NAMESPACE, "name": SECRET, "key": TOKEN},
        "values": values(invitation),
        "helm": [["helm", *helm(release, invitation.charts)] for release in CHARTS],
        "files": {name: path for name, path in _paths(files).items() if path},
    }


def _paths(files: Files) -> Mapping[str, str]:
    return {
        "token": files.token,
        "ca": files.ca,
        "manifests": files.manifests,
        "values": files.values,
    }
