"""ClusterProfile: a cluster of the fleet as tools of SIG Multicluster look for it."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from pydantic import Field

from fleet.api.conditions import Condition
from fleet.api.objects import Model, Resource
from fleet.api.schema import Rule, Schema

_STAYS: Final = Rule("self == oldSelf", "ClusterManager is immutable")


class ClusterManager(Model):
    """Who manages a cluster."""

    name: str
    """Name of the manager."""


class ClusterProfileSpec(Model):
    """Which cluster it is."""

    display_name: str = ""
    """What people call the cluster."""
    cluster_manager: Annotated[ClusterManager, Schema(rules=(_STAYS,))]
    """Who manages the cluster, and wrote this."""


class ClusterVersion(Model):
    """Versions of what runs in a cluster."""

    kubernetes: str = ""
    """Version of Kubernetes."""


class ClusterProperty(Model):
    """A property of a cluster."""

    name: Annotated[str, Schema(min_length=1, max_length=253)]
    """Name of the property."""
    value: Annotated[str, Schema(min_length=1, max_length=1024)]
    """The value."""
    last_observed_time: datetime | None = None
    """When it was last observed."""


class Extension(Model):
    """More of an address, as a kubeconfig has it."""

    name: str
    """Name of the extension."""
    extension: dict[str, Any]
    """What it says."""


class ClusterAddress(Model):
    """Where a cluster is reached, in the fields of a kubeconfig."""

    server: str
    """URL of the API server."""
    tls_server_name: Annotated[str, Field(alias="tls-server-name")] = ""
    """Name that the server's certificate is checked for."""
    insecure_skip_tls_verify: Annotated[bool, Field(alias="insecure-skip-tls-verify")] = False
    """Whether the server's certificate is not checked."""
    certificate_authority: Annotated[str, Field(alias="certificate-authority")] = ""
    """File with the authority that the certificate is checked by."""
    certificate_authority_data: Annotated[
        str, Field(alias="certificate-authority-data"), Schema(format="byte")
    ] = ""
    """The authority itself, in base64."""
    proxy_url: Annotated[str, Field(alias="proxy-url")] = ""
    """Proxy on the way to the server."""
    disable_compression: Annotated[bool, Field(alias="disable-compression")] = False
    """Whether answers come as they are."""
    extensions: tuple[Extension, ...] = ()
    """Whatever else is said of it."""


class AccessProvider(Model):
    """A way to reach a cluster with credentials of one kind."""

    name: str
    """Kind of the credentials."""
    cluster: ClusterAddress | None = None
    """Where the cluster is reached with them."""


class ClusterProfileStatus(Model):
    """What is known of a cluster."""

    conditions: tuple[Condition, ...] = ()
    """Whether it is reached and has joined."""
    version: ClusterVersion = ClusterVersion()
    """Versions of what runs there."""
    properties: tuple[ClusterProperty, ...] = ()
    """Its properties."""
    access_providers: tuple[AccessProvider, ...] = ()
    """Ways to reach it."""
    credential_providers: tuple[AccessProvider, ...] = ()
    """Ways to reach it, under the name that they had before."""


class ClusterProfile(Resource):
    """A cluster of the fleet, for tools that look for clusters."""

    API: ClassVar = "multicluster.x-k8s.io/v1alpha1"

    spec: ClusterProfileSpec
    """Which cluster it is."""
    status: ClusterProfileStatus = ClusterProfileStatus()
    """What is known of it."""
