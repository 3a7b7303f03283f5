"""What is built with Go: programs, and the definitions that Go modules carry along."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.local.errors import BuildError


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    module: str
    """Folder below `tools/go`: each has its own, since they want different libraries."""
    package: str
    tests_only: bool = False


@dataclass(frozen=True, slots=True)
class Definitions:
    """A folder of CRDs, as `pattern`s below the sources of Go modules name them."""

    name: str
    module: str
    sources: tuple[tuple[str, str], ...]
    tests_only: bool = False


Product = Tool | Definitions

TOOLS: Final = (
    Tool("kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
    Tool("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
    Tool("kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl"),
    Tool(
        "kube-controller-manager",
        "kubernetes",
        "k8s.io/kubernetes/cmd/kube-controller-manager",
    ),
    Tool("kube-scheduler", "kubernetes", "k8s.io/kubernetes/cmd/kube-scheduler"),
    Tool("kwokctl", "kwok", "sigs.k8s.io/kwok/cmd/kwokctl"),
    Tool("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok"),
    Tool("karpenter-kwok", "karpenter", "sigs.k8s.io/karpenter/kwok"),
    Tool("helm", "helm", "helm.sh/helm/v4/cmd/helm"),
    Tool(
        "helm-unittest",
        "helm-unittest",
        "github.com/helm-unittest/helm-unittest/cmd/helm-unittest",
        tests_only=True,
    ),
)
KARPENTER_CRDS: Final = Definitions(
    "karpenter-crds",
    "karpenter",
    (
        ("sigs.k8s.io/karpenter", "pkg/apis/crds/*.yaml"),
        ("sigs.k8s.io/karpenter", "kwok/apis/crds/*.yaml"),
    ),
)
OTHERS_CRDS: Final = Definitions(
    "others-crds",
    "definitions",
    (
        ("github.com/cert-manager/cert-manager", "deploy/crds/cert-manager.io_certificates.yaml"),
        (
            "github.com/prometheus-operator/prometheus-operator",
            "example/prometheus-operator-crd/*_servicemonitors.yaml",
        ),
        (
            "github.com/prometheus-operator/prometheus-operator",
            "example/prometheus-operator-crd/*_prometheusrules.yaml",
        ),
        ("sigs.k8s.io/gateway-api", "config/crd/standard/*_gateways.yaml"),
        ("sigs.k8s.io/gateway-api", "config/crd/standard/*_httproutes.yaml"),
        ("sigs.k8s.io/gateway-api", "config/crd/standard/*_tlsroutes.yaml"),
        ("sigs.k8s.io/gateway-api", "config/crd/standard/*_backendtlspolicies.yaml"),
    ),
    tests_only=True,
)
"""What our charts write for others' controllers, so that a test can offer it to a server."""
PRODUCTS: Final[tuple[Product, ...]] = (*TOOLS, KARPENTER_CRDS, OTHERS_CRDS)

_VERSIONS = {
    "kubernetes": ("k8s.io/kubernetes", "k8s.io/component-base/version.gitVersion"),
    "helm": ("helm.sh/helm/v4", "helm.sh/helm/v4/internal/version.version"),
}
"""Programs that have to be told their version, by Go module and by the variable's name."""


def link_flags(modules: Path, tool: Tool) -> str:
    if tool.module not in _VERSIONS:
        return "-s -w"
    path, variable = _VERSIONS[tool.module]
    return f"-s -w -X {variable}={version_of(modules / tool.module / 'go.mod', path)}"


def version_of(module: Path, path: str) -> str:
    """Return the version of a required Go module, `v1.36.3`."""
    match = re.search(rf"^\s*{re.escape(path)} (v\S+)", module.read_text(), re.MULTILINE)
    if not match:
        raise BuildError(f"{module} does not require {path}")
    return match[1]


def key(modules: Path) -> str:
    """Name the whole of what would be built: another version of anything gives another key."""
    return _digest(*(product_key(modules, product).encode() for product in PRODUCTS))


def product_key(modules: Path, product: Product) -> str:
    """Name one product, which another module's change leaves as it is."""
    module = (modules / product.module / "go.mod").read_bytes()
    return f"{product.name}-{_digest(repr(product).encode(), module)}"


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]
