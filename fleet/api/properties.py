"""Names of the properties that members report of themselves, as KubeFleet has them."""

from typing import Final

NODE_COUNT: Final = "kubernetes-fleet.io/node-count"
VERSION: Final = "k8s.io/k8s-version"
ENTRYPOINT: Final = "k8s.io/cluster-entrypoint"
AUTHORITY: Final = "k8s.io/cluster-certificate-authority-data"
