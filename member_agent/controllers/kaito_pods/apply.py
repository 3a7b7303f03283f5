"""Carry out a plan: a label and annotations of a pod, as a field manager that has only these."""

from collections.abc import Iterable

from fleet.api import names
from fleet.api.core import Pod
from fleet.api.objects import Metadata
from fleet.kube.client import Client
from member_agent.controllers.kaito_pods.plan import Mark


async def apply(marks: Iterable[Mark], client: Client) -> None:
    for mark in marks:
        await client.apply(_marked(mark), force=True)


def _marked(mark: Mark) -> Pod:
    return Pod(
        metadata=Metadata(
            name=mark.pod.name,
            namespace=mark.pod.namespace,
            uid=mark.pod.metadata.uid,
            labels={names.SERVICE: mark.service},
            annotations={names.MODEL: mark.model, names.MARKED: "true"},
        )
    )
