"""A wrong value is refused by the field's name, before anything is installed."""

import pytest

from tests.integration.charts.rendering import CHARTS, Helm

PARENT = "gatewayApi.parentRefs[0].name=a"
AGENT = ("--set", "cluster=eu-1", "--set", "hub.url=https://hub")


@pytest.mark.parametrize(
    ("chart", "values", "named"),
    [
        ("hub", "replica=2", "'replica' not allowed"),
        ("hub", "replicas=-1", "/replicas"),
        ("hub", "replicas=two", "/replicas"),
        ("hub", "image.tagg=1", "'tagg' not allowed"),
        ("hub", "image.pullPolicy=Sometimes", "/image/pullPolicy"),
        ("hub", "image.digest=sha256:123", "/image/digest"),
        ("hub", "settings.worker=4", "'worker' not allowed"),
        ("hub", "settings.workers=0", "/settings/workers"),
        ("hub", "settings.logLevel=LOUD", "/settings/logLevel"),
        ("hub", "settings.heartbeatTimeoutSeconds=0", "/settings/heartbeatTimeoutSeconds"),
        ("hub", "metrics.serviceMonitor.interval=often", "/metrics/serviceMonitor/interval"),
        ("hub", "podDisruptionBudget.maxUnavailable=some", "/podDisruptionBudget/maxUnavailable"),
        ("hub", "topologySpread[0].topologyKey=zone", "/topologySpread/0"),
        ("hub", "rbac.agentAccounts=agent", "/rbac/agentAccounts"),
        ("hub", "networkPolicy.egressPorts={0}", "/networkPolicy/egressPorts/0"),
        ("member-agent", "cluster=", "/cluster"),
        ("member-agent", "cluster=EU", "/cluster"),
        ("member-agent", "hub.url=http://hub", "/hub/url"),
        ("member-agent", "hub.ca=hub-ca.crt", "/hub/ca"),
        ("member-agent", "hub.token=abc", "'token' not allowed"),
        ("member-agent", "gateway.url=http://gateway/v1", "/gateway/url"),
        ("member-agent", "gateway.service=a/b/c", "/gateway/service"),
        ("gateway", "gateway.scope=local", "/gateway/scope"),
        ("gateway", "gateway.scope=regional", "/gateway/cluster"),
        ("gateway", "tls.source=nobody", "/tls/source"),
        ("gateway", "tls.source=secret", "/tls/secretName"),
        ("gateway", "tls.source=certManager", "/tls/certManager/issuerRef/name"),
        ("gateway", "tls.enabled=no", "/tls/enabled"),
        ("gateway", "service.type=Public", "/service/type"),
        ("gateway", "service.port=70000", "/service/port"),
        ("gateway", "ingress.enabled=true", "/ingress/host"),
        ("gateway", "gatewayApi.route=GRPCRoute", "/gatewayApi/route"),
        ("gateway", "gatewayApi.enabled=true", "/gatewayApi/parentRefs"),
        (
            "gateway",
            "gatewayApi.enabled=true,gatewayApi.gateway.create=true",
            "/gatewayApi/gateway/className",
        ),
        ("gateway", "gatewayApi.backendTls.enabled=true", "/gatewayApi/backendTls/hostname"),
        (
            "gateway",
            "tls.enabled=false,gatewayApi.enabled=true,gatewayApi.hostnames={b}," + PARENT,
            "/tls/enabled",
        ),
        ("gateway", "metrics.prometheusRules.errorRate=5", "/metrics/prometheusRules/errorRate"),
        ("crds", "keep=false", "'keep' not allowed"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(
    helm: Helm, chart: str, values: str, named: str
) -> None:
    given = AGENT if chart == "member-agent" else ()
    done = helm.run("template", "test", CHARTS / chart, *given, "--set", values)
    assert done.returncode
    assert named in done.stderr
    assert len(done.stderr.splitlines()) < 9, "one mistake, one message"
