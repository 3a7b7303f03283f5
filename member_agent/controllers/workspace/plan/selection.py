"""Nodes that a Workspace may use: its labelSelector, read as KAITO reads it."""

from collections.abc import Mapping
from typing import Final

from fleet.api.core import Node
from fleet.api.objects import LabelSelector
from fleet.api.workspace import Workspace

RESERVED: Final = ("kaito.sh/", "karpenter.kaito.sh/", "inferenceset.kaito.sh/")
"""Prefixes of label keys that a labelSelector may name without effect, as with KAITO."""


def wanted_labels(workspace: Workspace) -> Mapping[str, str]:
    """Give the labels that nodes must have and new ones get, keys that are reserved left out."""
    labels = workspace.resource.label_selector.match_labels.items()
    return {key: value for key, value in labels if not key.startswith(RESERVED)}


def usable(node: Node, workspace: Workspace) -> bool:
    """Whether a node takes new pods, and is one of those that the user means."""
    expressions = workspace.resource.label_selector.match_expressions
    selector = LabelSelector(match_labels=wanted_labels(workspace), match_expressions=expressions)
    takes = node.ready and not node.spec.unschedulable
    return takes and selector.matches(node.metadata.labels)
