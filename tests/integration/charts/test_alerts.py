"""Alerts are PromQL, and ask for what the programs show."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from promql_parser import AggregateExpr, Expr, VectorSelector, parse, walk

from fleet.runtime import gauges
from gateway.exposition import render
from gateway.metrics import Counts
from tests.integration.charts.rendering import CHARTS, PROGRAMS, Helm, Installation


def rules(helm: Helm, chart: str) -> Iterator[Mapping[str, Any]]:
    objects = helm.render(Installation(chart, CHARTS / chart / "ci" / "everything-values.yaml"))
    (found,) = [each for each in objects if each["kind"] == "PrometheusRule"]
    for group in found["spec"]["groups"]:
        yield from group["rules"]


def hub_metrics() -> Mapping[str, set[str]]:
    return {g.name: set(g.labels) for g in vars(gauges).values() if isinstance(g, gauges.Gauge)}


def gateway_metrics() -> Mapping[str, set[str]]:
    """Read what a gateway shows that has answered once."""
    counts = Counts()
    counts.answered("model", "region", "200", 1)
    counts.began("model", "region", 0.1)
    lines = [line for line in render(counts, ()).decode().splitlines() if "{" in line]
    return {line.partition("{")[0]: set(re.findall(r"(\w+)=", line)) for line in lines}


KNOWN = {**hub_metrics(), **gateway_metrics(), "up": {"job", "namespace"}}


class Asked:
    """What an expression asks for; ValueError says what is no PromQL, or of another type."""

    def __init__(self, expression: str) -> None:
        self.metrics = dict[str, set[str]]()
        """The labels that are looked at, by metric."""
        self.grouped = set[str]()
        """The labels that a result has."""
        walk(parse(expression), self._visit)

    def _visit(self, part: Expr) -> None:
        if isinstance(part, VectorSelector):
            self.metrics[part.name or ""] = {each.name for each in part.matchers.matchers}
        elif isinstance(part, AggregateExpr) and part.modifier:
            self.grouped |= set(part.modifier.labels)


@pytest.mark.parametrize("chart", PROGRAMS)
def test_alerts_ask_for_metrics_and_labels_that_are_there(helm: Helm, chart: str) -> None:
    for rule in rules(helm, chart):
        asked, said = Asked(rule["expr"]), " ".join(rule["annotations"].values())
        assert asked.metrics, rule["alert"]
        for metric, looked_at in asked.metrics.items():
            assert looked_at | asked.grouped <= KNOWN[metric], rule["alert"]
        assert set(re.findall(r"\$labels\.(\w+)", said)) <= asked.grouped, rule["alert"]
