"""What a member is on the hub: its object, its agent's account, and what names may be."""

import re
from collections.abc import Mapping
from typing import Final

from fleet.api import names
from fleet.api.cluster import MemberCluster, MemberClusterSpec, Subject
from fleet.api.objects import Key, Metadata

AGENT: Final = "member-agent"
"""ServiceAccount of an agent in its member's namespace on the hub."""
LONGEST_NAME: Final = 63 - len(names.MEMBER_NAMESPACE_PREFIX)
"""Characters: the member's namespace on the hub bears its name."""
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


class NotAMemberError(ValueError):
    """Something cannot be said of a member; the text says what may."""


def checked_name(name: str) -> str:
    """Give the name back where a member may have it."""
    if len(name) > LONGEST_NAME or not _LABEL.fullmatch(name):
        raise NotAMemberError(
            f"NAME: `{name}` is not a member's: it has at most {LONGEST_NAME} lower-case letters,"
            " digits and hyphens, and begins and ends with a letter or digit"
        )
    return name


def labels_of(pairs: list[str], region: str) -> dict[str, str]:
    """Read `tier=prod` and so on; the region is a label too."""
    split = [pair.partition("=") for pair in pairs]
    for pair, (key, equals, _) in zip(pairs, split, strict=True):
        if not key or not equals:
            raise NotAMemberError(f"--label: `{pair}` is not KEY=VALUE, such as tier=prod")
    return {key: value for key, _, value in split} | ({names.REGION: region} if region else {})


def member_cluster(name: str, labels: Mapping[str, str], heartbeat: int | None) -> MemberCluster:
    """Return the object by which a member joins the hub."""
    identity = Subject(kind="ServiceAccount", name=AGENT, namespace=names.member_namespace(name))
    spec = MemberClusterSpec(identity=identity)
    if heartbeat is not None:
        spec = MemberClusterSpec(identity=identity, heartbeat_period_seconds=heartbeat)
    metadata = Metadata(name=name, labels=labels) if labels else Metadata(name=name)
    return MemberCluster(metadata=metadata, spec=spec)


def account_of(member: MemberCluster) -> Key:
    """Return the ServiceAccount that the member's agent is on the hub."""
    identity = member.spec.identity
    if identity.kind != "ServiceAccount":
        raise NotAMemberError(
            f"the agent of {member.name} is the {identity.kind.lower()} {identity.name}, for whom"
            " the hub signs no tokens: give the agent that user's own credentials"
        )
    return Key(identity.namespace, identity.name)
