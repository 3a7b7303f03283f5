"""Where an agent is told that the hub is, and what no agent could use."""

from pathlib import Path

import pytest

from cli.join.address import HubAddress, checked_url, loopback_warning
from cli.join.errors import JoinError
from cli.join.hub import address_of
from fleet.kube.config import Connection


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://hub.example.com:6443", "https://hub.example.com:6443"),
        ("https://hub.example.com/k8s/clusters/c-1/", "https://hub.example.com/k8s/clusters/c-1"),
        ("https://[2001:db8::1]:6443", "https://[2001:db8::1]:6443"),
    ],
)
def test_an_address_is_taken_as_it_is(url: str, taken: str) -> None:
    assert checked_url(url) == taken


@pytest.mark.parametrize(
    "url",
    ["http://hub.example.com", "hub.example.com:6443", "https://", "https://u:p@h", "https://h:x"],
)
def test_a_token_goes_nowhere_in_clear_text(url: str) -> None:
    with pytest.raises(JoinError, match=r"--hub-url: .* is no address such as https://"):
        checked_url(url)


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("https://127.0.0.1:6443", True),
        ("https://127.8.0.1", True),
        ("https://[::1]:6443", True),
        ("https://localhost:6443", True),
        ("https://10.0.0.1:6443", False),
        ("https://hub.example.com", False),
        ("https://localhost.example.com", False),
    ],
)
def test_an_address_that_is_another_machine_everywhere_is_warned_of(url: str, warned: bool) -> None:
    assert ("--hub-url" in loopback_warning(url)) is warned


def test_the_hub_is_where_its_kubeconfig_says_or_where_one_is_told(tmp_path: Path) -> None:
    ca = tmp_path / "ca.crt"
    ca.write_text("PEM", encoding="utf-8")
    hub = Connection(server="https://10.0.0.1:6443", ca_file=str(ca))
    assert address_of(hub, "") == HubAddress("https://10.0.0.1:6443", "PEM")
    assert address_of(hub, "https://hub/") == HubAddress("https://hub", "PEM")
    with pytest.raises(JoinError, match="certificate-authority-data"):
        address_of(Connection(server="https://10.0.0.1", verify=False), "")
