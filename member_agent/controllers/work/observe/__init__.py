"""Read what a Work holds, and what the member has of it."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from fleet.api.cluster import ClusterState, InternalMemberCluster
from fleet.api.core import ConfigMap, Namespace
from fleet.api.objects import Key, Resource
from fleet.api.placement import ApplyStrategy
from fleet.api.work import AppliedWork, Work
from fleet.api.workspace import InferenceSet, Workspace
from fleet.kube.cache import Cache
from fleet.kube.client import Client
from fleet.kube.dynamic import PartialObject
from fleet.kube.errors import NotPermittedError, NotServedError
from fleet.kube.resources import ApiResource
from member_agent.controllers.work.observe.memory import Memory
from member_agent.controllers.work.observe.watches import Kind, Watches
from member_agent.controllers.work.plan.actions import (
    Live,
    Observed,
    Owner,
    Part,
    Reason,
    Seen,
    Verdict,
)
from member_agent.controllers.work.plan.availability import RULES
from member_agent.controllers.work.plan.manifests import Ref, cleaned, digest, identifier
from member_agent.controllers.work.plan.sight import fingerprint, live_of
from member_agent.inputs import content


class Reads(NamedTuple):
    """The kinds that the controller of Works reads, and no others."""

    works: Cache[Work]
    membership: Cache[InternalMemberCluster]
    records: Cache[AppliedWork]
    namespaces: Cache[Namespace]
    workspaces: Cache[Workspace]
    inference_sets: Cache[InferenceSet]
    configs: Cache[ConfigMap]

    @property
    def watched(self) -> Mapping[Kind, Cache[Any]]:
        """Kinds that the agent has in whole, and need no watch of their own."""
        caches: tuple[Cache[Any], ...] = (self.namespaces, self.workspaces, self.inference_sets)
        return {Kind.of(cache.resource): cache for cache in caches}


@dataclass(frozen=True, slots=True)
class Draft:
    """A manifest of which it is not known yet what the member has."""

    part: Part
    resource: ApiResource | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    member: Client
    reads: Reads
    watches: Watches
    memory: Memory

    async def observe(self, key: Key) -> Observed:
        work, record = self.reads.works.get(key), self.reads.records.get(Key("", key.name))
        leaving = self._leaving(work)
        bare = Observed(work=work, record=record, leaving=leaving)
        if work is None or work.deleting or leaving:
            self.watches.want(key, ())
            self.memory.attend(key, ())
            return bare
        drafts = _without_duplicates([await self._draft(*item) for item in _manifests(work)])
        old = await self._left_over(record, {draft.part.ref for draft in drafts})
        self._attend(key, drafts, old)
        strategy = work.spec.apply_strategy or ApplyStrategy()
        return replace(
            bare,
            parts=tuple(await asyncio.gather(*(self._part(key, d, strategy) for d in drafts))),
            recorded={ref: await self._live(ref, resource) for ref, resource in old.items()},
            namespaces=frozenset(namespace.name for namespace in self.reads.namespaces.all()),
        )

    def content(self, key: Key) -> str:
        """Sum up a ConfigMap of the member, whoever wrote it."""
        config = self.reads.configs.get(key)
        return content(config.data) if config else ""

    def _leaving(self, work: Work | None) -> bool:
        """Whether the fleet lets the member go; a Work may outlive the membership in a namespace
        that is deleted, and then says nothing about what the member is to keep."""
        there = self.reads.membership.all()
        if not there:
            return work is not None and work.deleting
        return any(m.deleting or m.spec.state is ClusterState.LEAVE for m in there)

    async def _draft(self, ordinal: int, manifest: Mapping[str, Any]) -> Draft:
        named = identifier(ordinal, manifest)
        bare = Part(identifier=named, manifest=dict(manifest))
        problem = _unreadable(manifest, bare.ref)
        if problem:
            return Draft(replace(bare, problem=problem))
        try:
            resource = await self.member.dynamic.resource_for(manifest["apiVersion"], named.kind)
        except NotServedError as error:
            return Draft(replace(bare, problem=Verdict(Reason.APPLY_FAILED, str(error))))
        namespace = (named.namespace or "default") if resource.namespaced else ""
        body = cleaned(manifest, namespace)
        place = {"resource": resource.plural, "namespace": namespace}
        whole = Part(identifier=named.model_copy(update=place), manifest=body, digest=digest(body))
        return Draft(whole, resource)

    async def _left_over(
        self, record: AppliedWork | None, refs: set[Ref]
    ) -> dict[Ref, ApiResource]:
        """Find what the record names and the Work does not; a kind that is gone took all along."""
        found: dict[Ref, ApiResource] = {}
        for resource in record.status.applied_resources if record else ():
            api = f"{resource.group}/{resource.version}" if resource.group else resource.version
            ref = Ref.of(resource)
            if ref not in refs:
                try:
                    found[ref] = await self.member.dynamic.resource_for(api, resource.kind)
                except NotServedError:
                    continue
        return found

    def _attend(self, key: Key, drafts: Iterable[Draft], old: Mapping[Ref, ApiResource]) -> None:
        resources = [*(draft.resource for draft in drafts if draft.resource), *old.values()]
        whole = self.reads.watched
        self.watches.want(key, [item for item in resources if Kind.of(item) not in whole])
        self.memory.attend(key, [*(d.part.ref for d in drafts if d.resource), *old])

    async def _part(self, key: Key, draft: Draft, strategy: ApplyStrategy) -> Part:
        part, resource = draft.part, draft.resource
        if resource is None or part.problem:
            return part
        seen = self.memory.seen(key, part.ref)
        try:
            live = await self._live(part.ref, resource)
            if live and live.body is None and _to_be_read(part.ref, live, seen, strategy):
                live = await self._read(part.ref, resource)
        except NotPermittedError as error:
            return replace(part, problem=Verdict(Reason.APPLY_FAILED, str(error)))
        maker = self.memory.maker(key, part.ref)
        problem = None if live or maker == key else _made_by(maker)
        return replace(part, live=live, seen=seen, problem=problem)

    async def _live(self, ref: Ref, resource: ApiResource) -> Live | None:
        """Look at an object where it is known already, else ask the server."""
        kind, key = Kind.of(resource), Key(ref.namespace, ref.name)
        if kind in self.reads.watched:
            item: Resource | None = self.reads.watched[kind].get(key)
            return live_of(item.manifest()) if item else None
        cache = self.watches.cache(kind)
        if cache is None:
            return await self._read(ref, resource)
        found = cache.get(key)
        return _live_of_metadata(found) if found else None

    async def _read(self, ref: Ref, resource: ApiResource) -> Live | None:
        body = await self.member.dynamic.get(resource, Key(ref.namespace, ref.name))
        return live_of(body) if body else None


def _manifests(work: Work) -> Iterable[tuple[int, Mapping[str, Any]]]:
    return enumerate(work.spec.workload.manifests)


def _unreadable(manifest: Mapping[str, Any], ref: Ref) -> Verdict | None:
    if (manifest.get("metadata") or {}).get("generateName") and not ref.name:
        return Verdict(Reason.GENERATE_NAME, "metadata.generateName is not supported; give a name")
    missing = [
        path
        for path, value in (
            ("apiVersion", manifest.get("apiVersion")),
            ("kind", ref.kind),
            ("metadata.name", ref.name),
        )
        if not value
    ]
    if missing:
        return Verdict(Reason.DECODING_FAILED, f"the manifest lacks {', '.join(missing)}")
    return None


def _without_duplicates(drafts: Iterable[Draft]) -> list[Draft]:
    found: set[Ref] = set()
    checked: list[Draft] = []
    for draft in drafts:
        part = draft.part
        if part.ref in found and not part.problem:
            again = Verdict(Reason.DUPLICATED, f"{part.ref} is in the Work more than once")
            checked.append(Draft(replace(part, problem=again)))
        else:
            checked.append(draft)
        found.add(part.ref)
    return checked


def _made_by(maker: Key) -> Verdict:
    return Verdict(
        Reason.TAKE_OVER_FAILED, f"already owned by another Fleet AppliedWork, {maker.name}"
    )


def _to_be_read(ref: Ref, live: Live, seen: Seen | None, strategy: ApplyStrategy) -> bool:
    """Metadata does until a status or a difference may have changed."""
    if seen is None:
        return strategy.when_to_take_over == "IfNoDiff"
    if live.version <= seen.version:
        return False
    tracked = (ref.group, ref.kind) in RULES or seen.status is not None
    return tracked or strategy.when_to_apply == "IfNotDrifted"


def _live_of_metadata(item: PartialObject) -> Live:
    metadata = item.metadata
    owners = metadata.owner_references
    state = {
        "generation": metadata.generation,
        "resourceVersion": metadata.resource_version,
        "labels": metadata.labels,
        "annotations": metadata.annotations,
        "ownerReferences": [{"uid": owner.uid} for owner in owners],
    }
    return Live(
        uid=metadata.uid,
        version=metadata.version,
        fingerprint=fingerprint(state),
        generation=metadata.generation,
        owners=tuple(Owner(owner.kind, owner.name, owner.uid) for owner in owners),
        deleting=metadata.deletion_timestamp is not None,
    )
