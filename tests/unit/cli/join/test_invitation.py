"""What the member's admin is handed: one script, or files and a script without a secret."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from cli.join.address import HubAddress
from cli.join.invitation import Files, Invitation, as_yaml, document, script, values

TOKEN = "header.payload.signature"  # noqa: S105
INVITATION = Invitation(
    member="us",
    hub=HubAddress("https://hub.example.com:6443", "-----BEGIN-----\nMIIB\n-----END-----\n"),
    token=TOKEN,
    expires=datetime(2026, 1, 2, 12, tzinfo=UTC),
    charts="/opt/charts",
)
FILES = Files("d/token", "d/hub-ca.crt", "d/hub-token.yaml", "d/values.yaml")
SCRIPT = """\
# For the cluster us, by whoever is its admin: this holds a token, valid until 2026-01-02 12:00 UTC.
kubectl apply --server-side --force-conflicts --field-manager=modelfleet-cli --filename - <<'MODELFLEET'
apiVersion: v1
kind: Namespace
metadata:
  name: modelfleet-system
---
apiVersion: v1
kind: Secret
metadata:
  name: modelfleet-hub-token
  namespace: modelfleet-system
stringData:
  token: header.payload.signature
MODELFLEET
helm upgrade --install modelfleet-crds /opt/charts/crds --namespace modelfleet-system --create-namespace
helm upgrade --install modelfleet-member-agent /opt/charts/member-agent --namespace modelfleet-system --create-namespace --values - <<'MODELFLEET'
cluster: us
hub:
  url: https://hub.example.com:6443
  ca: |
    -----BEGIN-----
    MIIB
    -----END-----
MODELFLEET"""  # noqa: E501


def test_one_script_holds_all_that_the_member_needs() -> None:
    assert script(INVITATION, Files(), renew=False) == SCRIPT


def test_a_shell_runs_it_as_it_is(tmp_path: Path) -> None:
    for name in ("kubectl", "helm"):
        tool = tmp_path / name
        tool.write_text(f'#!/bin/sh\\necho "{name} $#"\\ncat\\n'.replace("\\n", "\n"))
        tool.chmod(0o755)
    text = script(INVITATION, Files(), renew=False)
    environ = {"PATH": f"{tmp_path}:/bin:/usr/bin"}
    done = subprocess.run(
        ["/bin/sh", "-e"], input=text, env=environ, capture_output=True, text=True, check=True
    )
    heads = [line for line in done.stdout.splitlines() if line.startswith(("kubectl ", "helm "))]
    assert heads == ["kubectl 6", "helm 7", "helm 9"]
    assert as_yaml(values(INVITATION)) in done.stdout


def test_a_renewed_token_is_all_that_is_replaced() -> None:
    said = script(INVITATION, Files(), renew=True)
    assert "header.payload.signature" in said
    assert "helm" not in said


@pytest.mark.parametrize("renew", [True, False])
def test_what_is_in_files_is_not_on_the_screen(renew: bool) -> None:
    said = script(INVITATION, FILES, renew=renew)
    assert INVITATION.token not in said
    assert "--filename d/hub-token.yaml" in said
    assert ("--values d/values.yaml" in said) is not renew
    found = document(INVITATION, FILES)
    assert INVITATION.token not in str(found)
    assert found["token"] == {"file": "d/token", "expires": "2026-01-02T12:00:00Z"}


def test_a_program_gets_the_token_and_the_values() -> None:
    found = document(INVITATION, Files())
    assert found["token"]["value"] == INVITATION.token
    assert found["values"]["cluster"] == "us"
    assert found["secret"] == {
        "namespace": "modelfleet-system",
        "name": "modelfleet-hub-token",
        "key": "token",
    }
    assert found["files"] == {}


def test_an_authority_of_the_system_is_not_written_out() -> None:
    bare = replace(INVITATION, hub=HubAddress("https://hub.example.com", ""))
    assert values(bare) == {"cluster": "us", "hub": {"url": "https://hub.example.com"}}


def test_values_are_read_back_as_they_were() -> None:
    assert yaml.safe_load(as_yaml(values(INVITATION))) == values(INVITATION)


def test_a_token_is_not_shown_by_chance() -> None:
    assert INVITATION.token not in repr(INVITATION)
