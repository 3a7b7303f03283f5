"""What programs count of themselves is told in Prometheus' text format."""

import pytest

from fleet.runtime import metrics


def lines() -> list[str]:
    return metrics.exposition().decode().splitlines()


def test_requests_are_counted_by_verb_and_answer() -> None:
    metrics.requests_total("TEST", "200")
    metrics.requests_total("TEST", "200")
    metrics.requests_total("TEST", "lost")
    assert 'modelfleet_kube_requests_total{code="200",verb="TEST"} 2.0' in lines()
    assert 'modelfleet_kube_requests_total{code="lost",verb="TEST"} 1.0' in lines()


@pytest.mark.parametrize(("seconds", "bucket"), [(0.0005, "0.001"), (0.3, "0.5"), (99.0, "+Inf")])
def test_reconciles_are_counted_by_how_long_they_took(seconds: float, bucket: str) -> None:
    labels = f'controller="painter-{bucket}"'
    metrics.reconciled(f"painter-{bucket}", "done", seconds)
    counted = [line for line in lines() if labels in line and "_bucket" in line]
    full = [line for line in counted if line.endswith(" 1.0")]
    assert f'le="{bucket}"' in full[0]
    assert f'modelfleet_reconcile_seconds_count{{{labels},outcome="done"}} 1.0' in lines()
