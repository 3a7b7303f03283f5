"""Schemas of the charts' values: an unknown key or a wrong value is refused by its name."""

import copy
from collections.abc import Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

TEXT: Final[Schema] = {"type": "string"}
FLAG: Final[Schema] = {"type": "boolean"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 1}
SECONDS: Final[Schema] = {"type": "number", "exclusiveMinimum": 0}
PORT: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 65535}
LEASE: Final[Schema] = {"type": "number", "minimum": 1, "maximum": 300}
LIST: Final[Schema] = {"type": "array", "items": {"type": "object"}}
TEXTS: Final[Schema] = {"type": "array", "items": {"type": "string", "minLength": 1}}
QUOTED: Final[Schema] = {"type": "array", "items": {"type": "string", "pattern": r"^[^'\"\\]+$"}}
"""What stands between quotes in an expression."""
FREE: Final[Schema] = {"type": "object"}
"""What Kubernetes itself checks."""
LABELS: Final[Schema] = {"type": "object", "additionalProperties": {"type": "string"}}
DURATION: Final[Schema] = {"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$"}
NAME: Final[Schema] = {"type": "string", "pattern": "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"}
NAME_OR_EMPTY: Final[Schema] = {"type": "string", "pattern": "^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$"}
LOG_LEVEL: Final[Schema] = {"enum": ["DEBUG", "INFO", "WARNING", "ERROR"]}


def closed(properties: Mapping[str, Schema], **more: Any) -> Schema:
    return {"type": "object", "additionalProperties": False, "properties": properties, **more}


def text(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}


def one_of(*values: str) -> Schema:
    return {"enum": list(values)}


def when(condition: Schema, then: Schema) -> Schema:
    return {"if": condition, "then": then}


def holds(path: str, value: Schema) -> Schema:
    """Say what a value at a dotted path is, there and required."""
    schema: Schema = value
    for name in reversed(path.split(".")):
        schema = {"properties": {name: schema}, "required": [name]}
    return schema


COMMON: Final[Mapping[str, Schema]] = {
    "fullnameOverride": text("^([a-z0-9]([a-z0-9-]*[a-z0-9])?)?$"),
    "replicas": {"type": "integer", "minimum": 0},
    "image": closed(
        {
            "repository": {"type": "string", "minLength": 1},
            "tag": text("^([A-Za-z0-9_][A-Za-z0-9_.-]*)?$"),
            "digest": text("^(sha256:[a-f0-9]{64})?$"),
            "pullPolicy": one_of("Always", "IfNotPresent", "Never"),
        }
    ),
    "imagePullSecrets": {"type": "array", "items": closed({"name": NAME}, required=["name"])},
    "serviceAccount": closed({"create": FLAG, "name": NAME_OR_EMPTY, "annotations": LABELS}),
    "resources": closed({"requests": FREE, "limits": FREE, "claims": LIST}),
    "podLabels": LABELS,
    "podAnnotations": LABELS,
    "podSecurityContext": FREE,
    "securityContext": FREE,
    "priorityClassName": NAME_OR_EMPTY,
    "nodeSelector": LABELS,
    "tolerations": LIST,
    "affinity": FREE,
    "topologySpread": {
        "type": "array",
        "items": closed(
            {
                "topologyKey": {"type": "string", "minLength": 1},
                "maxSkew": COUNT,
                "whenUnsatisfiable": one_of("DoNotSchedule", "ScheduleAnyway"),
            },
            required=["topologyKey", "maxSkew", "whenUnsatisfiable"],
        ),
    },
    "podDisruptionBudget": closed(
        {
            "enabled": FLAG,
            "maxUnavailable": {"anyOf": [{"type": "integer", "minimum": 0}, text("^[0-9]+%$")]},
        }
    ),
    "networkPolicy": closed(
        {
            "enabled": FLAG,
            "from": LIST,
            "egressPorts": {"type": "array", "items": {**PORT, "minimum": 1}},
            "egress": LIST,
        }
    ),
    "metrics": closed(
        {
            "serviceMonitor": closed({"enabled": FLAG, "labels": LABELS, "interval": DURATION}),
            "prometheusRules": closed(
                {"enabled": FLAG, "labels": LABELS, "runbookUrl": text("^(https?://.*)?$")}
            ),
        }
    ),
    "extraEnv": {
        "type": "array",
        "items": closed({"name": TEXT, "value": TEXT, "valueFrom": FREE}, required=["name"]),
    },
    # What Helm itself gives to a chart that is part of another.
    "global": FREE,
}

HUB: Final = closed(
    {
        **COMMON,
        "rbac": closed({"create": FLAG, "placeable": LIST, "agentAccounts": TEXTS}),
        "hubWorkloads": closed(
            {"refused": FLAG, "disruptionBudgetsRefused": FLAG, "namespaces": QUOTED}
        ),
        "webhook": closed(
            {"enabled": FLAG, "url": text("^(https://[^/ ]+)?$"), "serviceExports": FLAG}
        ),
        "guardRail": closed({"enabled": FLAG, "users": QUOTED}),
        "settings": closed(
            {
                "workers": COUNT,
                "logLevel": LOG_LEVEL,
                "resyncSeconds": SECONDS,
                "heartbeatTimeoutSeconds": SECONDS,
                "healthTimeoutSeconds": SECONDS,
                "forceLeaveSeconds": SECONDS,
                "profileNamespace": NAME,
                "gatewayNames": TEXT,
                "gatewayCertificateSeconds": SECONDS,
                "gatewayAuthoritySeconds": SECONDS,
                "gatewayCredentialSeconds": SECONDS,
                "gatewayOverlapSeconds": SECONDS,
                "leaseSeconds": LEASE,
                "beside": FLAG,
            }
        ),
    }
)

MEMBER_AGENT: Final = closed(
    {
        **COMMON,
        "rbac": closed({"create": FLAG, "rules": LIST}),
        # As long as a namespace's name leaves it beside `fleet-member-`.
        "cluster": {**text("^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"), "maxLength": 50},
        "hub": closed(
            {
                "url": text("^https://[^/]+"),
                "ca": text("^(\\s*|[\\s\\S]*-----BEGIN CERTIFICATE-----[\\s\\S]*)$"),
                "caSecret": NAME_OR_EMPTY,
                "tokenSecret": NAME,
            }
        ),
        "gateway": closed(
            {
                "url": text("^(https://[^/]+.*)?$"),
                "service": text("^([a-z0-9]([a-z0-9-]*[a-z0-9])?(/[a-z0-9][a-z0-9.-]*)?)?$"),
                "caSecret": NAME_OR_EMPTY,
            }
        ),
        "settings": closed(
            {
                "workers": COUNT,
                "logLevel": LOG_LEVEL,
                "resyncSeconds": SECONDS,
                "clusterEntrypoint": text("^(https://[^/]+.*)?$"),
                "engineImage": TEXT,
                "pullerImage": TEXT,
                "launchSeconds": SECONDS,
                "leaseSeconds": LEASE,
                "beside": FLAG,
            }
        ),
    },
    required=["cluster", "hub"],
)

_CERTIFICATE: Final = closed(
    {
        "issuerRef": closed({"group": TEXT, "kind": TEXT, "name": NAME_OR_EMPTY}),
        "dnsNames": TEXTS,
        "ipAddresses": TEXTS,
        "duration": DURATION,
        "renewBefore": DURATION,
    }
)
_GATEWAY_API: Final = closed(
    {
        "enabled": FLAG,
        "route": one_of("HTTPRoute", "TLSRoute"),
        "hostnames": TEXTS,
        "parentRefs": LIST,
        "gateway": closed(
            {
                "create": FLAG,
                "className": NAME_OR_EMPTY,
                "annotations": LABELS,
                "port": {**PORT, "minimum": 1},
                "tlsSecret": NAME_OR_EMPTY,
            }
        ),
        "backendTls": closed({"enabled": FLAG, "hostname": TEXT, "caConfigMap": NAME_OR_EMPTY}),
    }
)
_YES: Final[Schema] = {"const": True}
_GIVEN: Final[Schema] = {"type": "string", "minLength": 1}
_SOME: Final[Schema] = {"type": "array", "minItems": 1}


def _both(*conditions: Schema) -> Schema:
    return {"allOf": list(conditions)}


GATEWAY: Final = closed(
    {
        **COMMON,
        "rbac": closed({"create": FLAG}),
        "gateway": closed(
            {"scope": one_of("global", "regional"), "cluster": NAME_OR_EMPTY, "region": TEXT}
        ),
        "clientKeysSecret": NAME,
        "credentialSecret": NAME,
        "upstreamCASecret": NAME_OR_EMPTY,
        "endpointCredentials": {
            "type": "array",
            "items": closed(
                {"secret": NAME, "namespace": NAME, "name": NAME},
                required=["secret", "namespace", "name"],
            ),
        },
        "tls": closed(
            {
                "enabled": FLAG,
                "source": one_of("hub", "certManager", "secret"),
                "secretName": NAME_OR_EMPTY,
                "certManager": _CERTIFICATE,
            }
        ),
        "service": closed(
            {
                "type": one_of("ClusterIP", "NodePort", "LoadBalancer"),
                "port": PORT,
                "annotations": LABELS,
                "loadBalancerClass": TEXT,
                "loadBalancerSourceRanges": TEXTS,
                "externalTrafficPolicy": one_of("", "Cluster", "Local"),
            }
        ),
        "ingress": closed(
            {
                "enabled": FLAG,
                "className": NAME_OR_EMPTY,
                "annotations": LABELS,
                "host": TEXT,
                "tlsSecret": NAME_OR_EMPTY,
            }
        ),
        "gatewayApi": _GATEWAY_API,
        "settings": closed(
            {
                "workers": COUNT,
                "logLevel": LOG_LEVEL,
                "bodyBytes": COUNT,
                "attempts": COUNT,
                "connectSeconds": SECONDS,
                "firstByteSeconds": SECONDS,
                "stallSeconds": SECONDS,
                "probeSeconds": SECONDS,
                "probeTimeoutSeconds": SECONDS,
                "drainSeconds": {"type": "number", "minimum": 0},
            }
        ),
    },
    allOf=[
        when(holds("gateway.scope", one_of("regional")), holds("gateway.cluster", _GIVEN)),
        when(
            _both(holds("tls.enabled", _YES), holds("tls.source", one_of("certManager"))),
            holds("tls.certManager.issuerRef.name", _GIVEN),
        ),
        when(
            _both(holds("tls.enabled", _YES), holds("tls.source", one_of("secret"))),
            holds("tls.secretName", _GIVEN),
        ),
        when(holds("ingress.enabled", _YES), holds("ingress.host", _GIVEN)),
        when(
            _both(holds("gatewayApi.enabled", _YES), holds("gatewayApi.gateway.create", _YES)),
            holds("gatewayApi.gateway.className", _GIVEN),
        ),
        when(
            _both(
                holds("gatewayApi.enabled", _YES),
                holds("gatewayApi.gateway.create", {"const": False}),
            ),
            holds("gatewayApi.parentRefs", _SOME),
        ),
        when(
            _both(holds("gatewayApi.enabled", _YES), holds("gatewayApi.route", one_of("TLSRoute"))),
            {**_both(holds("tls.enabled", _YES), holds("gatewayApi.hostnames", _SOME))},
        ),
        when(
            _both(
                holds("gatewayApi.enabled", _YES),
                holds("gatewayApi.route", one_of("HTTPRoute")),
                holds("gatewayApi.gateway.create", _YES),
            ),
            holds("gatewayApi.gateway.tlsSecret", _GIVEN),
        ),
        when(
            holds("gatewayApi.backendTls.enabled", _YES),
            holds("gatewayApi.backendTls.hostname", _GIVEN),
        ),
    ],
)


def _with_its_own(schema: Schema) -> Schema:
    """Add to the common parts what only the gateway's have."""
    changed = copy.deepcopy(dict(schema))
    changed["properties"]["networkPolicy"]["properties"]["metricsFrom"] = LIST
    rules = changed["properties"]["metrics"]["properties"]["prometheusRules"]["properties"]
    rules["ttftSeconds"] = SECONDS
    rules["errorRate"] = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
    return changed


SCHEMAS: Final[Mapping[str, Schema]] = {
    "hub": HUB,
    "member-agent": MEMBER_AGENT,
    "gateway": _with_its_own(GATEWAY),
    "crds": closed({"global": FREE}),
}


def document(chart: str) -> Schema:
    return {"$schema": "http://json-schema.org/draft-07/schema#", **SCHEMAS[chart]}
