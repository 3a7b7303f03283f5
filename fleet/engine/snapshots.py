"""Snapshots as they belong together: the resources of one index lie in parts of limited size."""

import base64
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from fleet.api import names
from fleet.api.snapshot import Demand, PolicySnapshot, Snapshot


@dataclass(frozen=True, slots=True)
class Group:
    """A resource snapshot: its master, which says how many parts there are, and the other parts."""

    index: int
    master: Snapshot
    parts: tuple[Snapshot, ...] = ()

    @property
    def complete(self) -> bool:
        wanted = int(self.master.metadata.annotations.get(names.NUMBER_OF_SNAPSHOTS, "1"))
        return 1 + len(self.parts) >= wanted

    @property
    def all(self) -> tuple[Snapshot, ...]:
        return self.master, *self.parts

    @property
    def resource_hash(self) -> str:
        return self.master.metadata.annotations.get(names.RESOURCE_HASH, "")

    @property
    def demands(self) -> str:
        """The digest of the demands that belong to these resources."""
        return self.master.metadata.annotations.get(names.DEMANDS, NO_DEMANDS)

    @property
    def manifests(self) -> tuple[dict[str, Any], ...]:
        return tuple(manifest for part in self.all for manifest in part.spec.selected_resources)


def index_of(snapshot: Snapshot | PolicySnapshot) -> int:
    """Read the index from the label; -1 where it is missing or no number."""
    label = names.POLICY_INDEX if isinstance(snapshot, PolicySnapshot) else names.RESOURCE_INDEX
    text = snapshot.metadata.labels.get(label, "")
    return int(text) if text.isdecimal() else -1


def subindex_of(snapshot: Snapshot) -> int | None:
    """Read which further part a snapshot is; None is the master."""
    text = snapshot.metadata.annotations.get(names.SUBINDEX)
    return int(text) if text is not None and text.isdecimal() else None


def groups(snapshots: Iterable[Snapshot]) -> tuple[Group, ...]:
    """Put the parts together, the lowest index first; parts without a master are left out."""
    by_index: defaultdict[int, list[Snapshot]] = defaultdict(list)
    for snapshot in snapshots:
        if not snapshot.deleting:
            by_index[index_of(snapshot)].append(snapshot)
    found = (_group(index, members) for index, members in sorted(by_index.items()))
    return tuple(group for group in found if group)


def newest(snapshots: Iterable[Snapshot]) -> Group | None:
    """Take the latest whole group: one that is still being written is not there yet."""
    return next((group for group in reversed(groups(snapshots)) if group.complete), None)


def group_of(snapshots: Iterable[Snapshot], master: str) -> Group | None:
    """Find the whole group that a binding names by its master."""
    found = (g for g in groups(snapshots) if g.master.name == master and g.complete)
    return next(found, None)


def newest_policy(snapshots: Iterable[PolicySnapshot]) -> PolicySnapshot | None:
    latest = [snapshot for snapshot in snapshots if snapshot.latest and not snapshot.deleting]
    return max(latest, key=index_of, default=None)


def _group(index: int, members: Sequence[Snapshot]) -> Group | None:
    masters = [member for member in members if subindex_of(member) is None]
    parts = sorted((m for m in members if m not in masters), key=lambda m: subindex_of(m) or 0)
    return Group(index, masters[0], tuple(parts)) if masters else None


def canonical(value: Any) -> bytes:
    """Write JSON so that equal values are equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def content_hash(value: Any) -> str:
    return sha256(canonical(value)).hexdigest()


def policy_hash(value: Any) -> str:
    """Hash as the API has it: the hexadecimal text of a SHA-256, in base64."""
    return base64.b64encode(content_hash(value).encode()).decode()


def demands_digest(demands: Sequence[Demand]) -> str:
    """Tell demands apart: resources go to a member only with what was decided for their demands."""
    said = [demand.model_dump(mode="json", exclude_defaults=True) for demand in demands]
    return content_hash(said)[:16]


NO_DEMANDS = demands_digest(())
