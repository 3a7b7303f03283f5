"""Where a member's gateway is reached: by its Service, its Ingress or its Gateway. Pure."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from fleet.api.addresses import exposed
from fleet.api.core import ServicePort
from fleet.api.keys import Key
from fleet.api.objects import Model, Resource

PLAIN = "plain HTTP, by which others could read the fleet's credential"


class Place(NamedTuple):
    """What was found; either an address, or why there is none that may be reported."""

    url: str = ""
    """Base of the OpenAI API."""
    trouble: str = ""


class _Point(Model):
    ip: str = ""
    hostname: str = ""

    @property
    def host(self) -> str:
        return self.hostname or self.ip


class _LoadBalancer(Model):
    ingress: tuple[_Point, ...] = ()


class _Balanced(Model):
    load_balancer: _LoadBalancer = _LoadBalancer()

    @property
    def host(self) -> str:
        return next((point.host for point in self.load_balancer.ingress if point.host), "")


class _ServiceSpec(Model):
    ports: tuple[ServicePort, ...] = ()


class ExposedService(Resource):
    API: ClassVar = "v1"
    KIND: ClassVar = "Service"
    PLURAL: ClassVar = "services"

    spec: _ServiceSpec = _ServiceSpec()
    status: _Balanced = _Balanced()

    def url(self) -> str:
        """Take the port named https, else the first; only one named http speaks it."""
        ports = sorted(self.spec.ports, key=lambda port: port.name != "https")
        if not ports or not self.status.host:
            return ""
        return _url(ports[0].name != "http", self.status.host, ports[0].port)


class _Rule(Model):
    host: str = ""


class _Ended(Model):
    hosts: tuple[str, ...] = ()


class _IngressSpec(Model):
    rules: tuple[_Rule, ...] = ()
    tls: tuple[_Ended, ...] = ()


class Ingress(Resource):
    API: ClassVar = "networking.k8s.io/v1"
    PLURAL: ClassVar = "ingresses"

    spec: _IngressSpec = _IngressSpec()
    status: _Balanced = _Balanced()

    def url(self) -> str:
        """Call it by the name that its rules go by, once it has a place at all."""
        if not self.status.host:
            return ""
        named = next((rule.host for rule in self.spec.rules if rule.host), "")
        tls = bool(self.spec.tls)
        return _url(tls, named or self.status.host, 443 if tls else 80)


class _Listener(Model):
    port: int
    protocol: str = ""
    hostname: str = ""


class _GatewaySpec(Model):
    listeners: tuple[_Listener, ...] = ()


class _Address(Model):
    value: str = ""


class _GatewayStatus(Model):
    addresses: tuple[_Address, ...] = ()


class Gateway(Resource):
    API: ClassVar = "gateway.networking.k8s.io/v1"

    spec: _GatewaySpec = _GatewaySpec()
    status: _GatewayStatus = _GatewayStatus()

    def url(self) -> str:
        """Take a listener with TLS before one without."""
        host = next((address.value for address in self.status.addresses if address.value), "")
        listeners = sorted(self.spec.listeners, key=lambda each: not _secure(each))
        if not host or not listeners:
            return ""
        first = listeners[0]
        named = "" if first.hostname.startswith("*") else first.hostname
        return _url(_secure(first), named or host, first.port)


Exposing = ExposedService | Ingress | Gateway
KINDS: tuple[type[Exposing], ...] = (ExposedService, Ingress, Gateway)
"""In the order in which they are asked."""


def place(found: Sequence[Exposing], key: Key) -> Place:
    """Choose the first with an address; one that may not be used is told of."""
    urls = [url for each in found if (url := each.url())]
    safe = next((url for url in urls if not exposed(url)), "")
    if safe:
        return Place(safe)
    if urls:
        return Place(trouble=f"{urls[0]} is {PLAIN}: let {key} be reached by https")
    if found:
        kinds = ", ".join(each.kind() for each in found)
        return Place(trouble=f"{kinds} {key} has no address yet")
    return Place(trouble=f"there is no Service, Ingress or Gateway {key}")


def _secure(listener: _Listener) -> bool:
    return listener.protocol in ("HTTPS", "TLS")


def _url(tls: bool, host: str, port: int) -> str:
    host = f"[{host}]" if ":" in host else host
    scheme, usual = ("https", 443) if tls else ("http", 80)
    return f"{scheme}://{host}/v1" if port == usual else f"{scheme}://{host}:{port}/v1"
