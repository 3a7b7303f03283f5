"""The resource snapshots of a placement: who has each, what brought it, what changed. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cli.age import NOTHING, age
from cli.rollout import runs as run_reports
from cli.rollout.differences import Change, How, changes
from fleet.api.binding import Binding
from fleet.api.placement import Placement
from fleet.api.snapshot import Snapshot
from fleet.api.staged_update import UpdateRun
from fleet.engine.snapshots import Group, groups

HEADINGS: Final = ("INDEX", "AGE", "CLUSTERS", "RUNS", "CHANGES")
SHOWN_FIELDS: Final = 4
"""Of an object that changed, in a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A snapshot, and what became of it."""

    index: int
    made: datetime | None
    newest: bool
    clusters: tuple[str, ...]
    """Those that have it, or are to."""
    runs: tuple[tuple[str, str], ...]
    """Those that bring it, each with its state."""
    changes: tuple[Change, ...]
    """Since the snapshot before it that is still there."""

    def document(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "created": self.made.isoformat() if self.made else None,
            "newest": self.newest,
            "clusters": list(self.clusters),
            "runs": [{"name": name, "state": state} for name, state in self.runs],
            "changes": [change.document() for change in self.changes],
        }

    def row(self, now: datetime, *, wide: bool) -> tuple[str, ...]:
        told = [line for change in self.changes for line in _told(change, wide=wide)]
        return (
            f"{self.index}{' (newest)' if self.newest else ''}",
            age(self.made, now),
            ", ".join(self.clusters) or NOTHING,
            ", ".join(f"{name} ({state})" for name, state in self.runs) or NOTHING,
            "\n".join(told) or NOTHING,
        )


def revisions(
    snapshots: Iterable[Snapshot], bindings: Sequence[Binding], runs: Sequence[UpdateRun]
) -> list[Revision]:
    """Give what there is of each snapshot, the oldest first."""
    found = groups(snapshots)
    pairs = zip((None, *found), found, strict=False)
    return [_revision(group, before, bindings, runs) for before, group in pairs]


def _revision(
    group: Group, before: Group | None, bindings: Sequence[Binding], runs: Sequence[UpdateRun]
) -> Revision:
    master = group.master
    there = [b for b in bindings if b.spec.resource_snapshot_name == master.name]
    return Revision(
        index=group.index,
        made=master.metadata.creation_timestamp,
        newest=master.latest,
        clusters=tuple(sorted(b.spec.target_cluster for b in there)),
        runs=tuple(
            (run.name, str(run_reports.report(run).whole.state))
            for run in runs
            if index_of(run) == str(group.index)
        ),
        changes=tuple(changes(before.manifests, group.manifests)) if before else (),
    )


def index_of(run: UpdateRun) -> str:
    """Tell which snapshot a run brings; empty where the hub has not said so yet."""
    return run.status.resource_snapshot_index_used or run.spec.resource_snapshot_index


def document(placement: Placement, found: Iterable[Revision]) -> dict[str, Any]:
    """Return what `-o json` and `-o yaml` print."""
    return {
        "kind": placement.kind(),
        "namespace": placement.namespace,
        "name": placement.name,
        "snapshots": [revision.document() for revision in found],
    }


def _told(change: Change, *, wide: bool) -> Iterator[str]:
    """Name the fields that differ; in full with what they were and are."""
    if change.how is not How.CHANGED:
        yield f"{change.identity} {change.how}"
    elif wide:
        for field in change.fields:
            values = "" if field.secret else f": {field.before!r} -> {field.after!r}"
            yield f"{change.identity} {field.path}{values}"
    else:
        paths = [field.path for field in change.fields]
        more = f" and {len(paths) - SHOWN_FIELDS} more" if len(paths) > SHOWN_FIELDS else ""
        yield f"{change.identity}: {', '.join(paths[:SHOWN_FIELDS])}{more}"
