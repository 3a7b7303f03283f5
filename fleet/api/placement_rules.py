"""What the API server refuses of a placement: the rules and the words of KubeFleet's users."""

from typing import Final

from fleet.api.schema import Rule

_NAMESPACES: Final = (
    "self.resourceSelectors.filter(s, s.group == '' && s.version == 'v1' && s.kind == 'Namespace')"
)
_SCOPED: Final = (
    "self.resourceSelectors.filter(s, s.group == '' && s.version == 'v1' && s.kind == 'Namespace'"
    " && s.selectionScope == 'NamespaceWithResourceSelectors')"
)
_NAMED: Final = "has(s.name) && size(s.name) > 0"

SPEC_RULES: Final = (
    Rule("!has(oldSelf.policy) || has(self.policy)", "policy cannot be removed once set"),
    Rule(
        f"size({_SCOPED}) <= 1",
        "only one namespace selector with NamespaceWithResourceSelectors mode is allowed",
    ),
    Rule(
        f"size({_SCOPED}) == 0 ||"
        f" size({_SCOPED}.filter(s, {_NAMED} && !has(s.labelSelector))) == 1",
        "namespace selector with NamespaceWithResourceSelectors mode must select by name"
        " (not by label)",
    ),
    Rule(
        f"size({_SCOPED}) == 0 || size({_NAMESPACES}) == 1",
        "when using NamespaceWithResourceSelectors mode, only one namespace selector is allowed"
        " (cannot mix with other namespace selectors)",
    ),
)
CLUSTER_SPEC_RULES: Final = (
    Rule(
        "self.statusReportingScope != 'NamespaceAccessible' ||"
        " size(self.resourceSelectors.filter(s, s.kind == 'Namespace')) == 1",
        "when statusReportingScope is NamespaceAccessible,"
        " exactly one resourceSelector with kind 'Namespace' is required",
    ),
    Rule(
        "self.statusReportingScope == oldSelf.statusReportingScope",
        "statusReportingScope is immutable",
    ),
)
SELECTOR_RULES: Final = (
    Rule(
        f"self.all(s, !({_NAMED} && has(s.labelSelector)))",
        "name and labelSelector are mutually exclusive in a resource selector",
    ),
)
POLICY_RULES: Final = (
    Rule("self.placementType == oldSelf.placementType", "placement type is immutable"),
    Rule(
        "self.placementType != 'PickFixed' || !has(self.affinity) && !has(self.numberOfClusters)"
        " && !has(self.topologySpreadConstraints) && !has(self.tolerations)",
        "affinity, numberOfClusters, topologySpreadConstraints, and tolerations cannot be set"
        " when placementType is PickFixed",
    ),
    Rule(
        "self.placementType != 'PickAll' || !has(self.clusterNames)"
        " && !has(self.numberOfClusters) && !has(self.topologySpreadConstraints)",
        "clusterNames, numberOfClusters, and topologySpreadConstraints cannot be set"
        " when placementType is PickAll",
    ),
    Rule(
        "self.placementType != 'PickN' || !has(self.clusterNames) && has(self.numberOfClusters)",
        "clusterNames cannot be set and numberOfClusters must be set when placementType is PickN",
    ),
)
TOLERATION_RULES: Final = (
    Rule(
        "self.all(t, t.operator != 'Exists' || !has(t.value) || size(t.value) == 0)",
        "value must be empty when operator is Exists",
    ),
    Rule(
        "self.all(t, has(t.key) && size(t.key) > 0 || t.operator == 'Exists')",
        "operator must be Exists when key is empty",
    ),
)
