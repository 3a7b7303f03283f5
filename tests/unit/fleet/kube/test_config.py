"""A connection is read from a kubeconfig, a pod's account or files; what is wrong is named."""

import sys
from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.kube import kubeconfig
from fleet.kube.config import Connection, from_environment, from_files, from_kubeconfig
from fleet.kube.errors import ForbiddenError
from fleet.kube.plain_kubeconfig import Plain, plain

URL = "https://127.0.0.1:6443"
CONFIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "c", "cluster": {"server": URL}}],
    "users": [{"name": "u", "user": {"token": "hunter2"}}],
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "x",
}
PLUGIN = """\
import json, pathlib, sys
path = pathlib.Path(sys.argv[1])
status = {"token": path.read_text(encoding="utf-8")}
api = "client.authentication.k8s.io/v1"
print(json.dumps({"apiVersion": api, "kind": "ExecCredential", "status": status}))
"""
Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a kubeconfig, for a user and a cluster."""

    def written(user: dict[str, Any] | None = None, **cluster: Any) -> str:
        config = deepcopy(CONFIG)
        if user is not None:
            config["users"][0]["user"] = user
        config["clusters"][0]["cluster"] |= cluster
        path = tmp_path / "config"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return str(path)

    return written


def test_a_kubeconfig_says_where_the_server_is_and_who_we_are(write: Write) -> None:
    found = from_kubeconfig(write())
    assert (found.server, found.verify) == (URL, True)
    assert found.credentials.header() == "Bearer hunter2"
    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("user", "header"),
    [
        ({}, ""),
        ({"username": "a", "password": "b"}, "Basic YTpi"),
        ({"client-certificate-data": "aGVsbG8=", "client-key-data": "aGVsbG8="}, ""),
    ],
)
def test_a_user_without_a_token_sends_none(write: Write, user: dict[str, str], header: str) -> None:
    assert from_kubeconfig(write(user)).credentials.header() == header


def test_certificates_within_a_kubeconfig_become_files(write: Write) -> None:
    data = b64encode(b"a certificate").decode()
    user = {"client-certificate-data": data, "client-key-data": data}
    found = from_kubeconfig(write(user, **{"certificate-authority-data": data}))
    files = (found.ca_file, found.cert_file, found.key_file)
    assert [Path(file).read_bytes() for file in files] == [b"a certificate"] * 3


def test_a_server_may_be_trusted_unseen(write: Write) -> None:
    context = from_kubeconfig(write(**{"insecure-skip-tls-verify": True})).tls()
    assert context is not None
    assert not context.check_hostname


def test_another_context_may_be_named(tmp_path: Path) -> None:
    config = deepcopy(CONFIG)
    config["clusters"].append({"name": "d", "cluster": {"server": "https://other"}})
    config["contexts"].append({"name": "y", "context": {"cluster": "d", "user": "u"}})
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert from_kubeconfig(str(path), context="y").server == "https://other"
    assert from_kubeconfig(str(path)).server == URL


def test_a_plugin_runs_again_when_the_server_refuses_what_it_gave(
    write: Write, tmp_path: Path
) -> None:
    plugin, token = tmp_path / "plugin.py", tmp_path / "token"
    plugin.write_text(PLUGIN, encoding="utf-8")
    token.write_text("first", encoding="utf-8")
    command = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": [str(plugin), str(token)],
        "interactiveMode": "Never",
    }
    credentials = from_kubeconfig(write({"exec": command})).credentials
    assert credentials.header() == "Bearer first"
    token.write_text("other", encoding="utf-8")
    assert credentials.header() == "Bearer first"
    credentials.renew()
    assert credentials.header() == "Bearer other"
    assert "other" not in repr(credentials)


def test_a_kubeconfig_that_was_lost_since_is_named_when_it_is_read_again(write: Write) -> None:
    path = write()
    credentials = from_kubeconfig(path).credentials
    Path(path).unlink()
    with pytest.raises(ForbiddenError, match=f"kubeconfig {path}: "):
        credentials.renew()
    assert credentials.header() == "Bearer hunter2"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"- a\n- b\n",
        b"a: [",
        b"\xff\xfe\x00",
        yaml.safe_dump(CONFIG | {"current-context": "elsewhere"}).encode(),
        yaml.safe_dump(CONFIG | {"clusters": []}).encode(),
        yaml.safe_dump(
            CONFIG
            | {
                "clusters": [
                    {"name": "c", "cluster": {"server": URL, "certificate-authority-data": "abc"}}
                ]
            }
        ).encode(),
        yaml.safe_dump(
            CONFIG | {"users": [{"name": "u", "user": {"client-certificate": "/nowhere"}}]}
        ).encode(),
    ],
)
def test_a_kubeconfig_that_cannot_be_used_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config"
    path.write_bytes(content)
    with pytest.raises(ForbiddenError, match=f"^kubeconfig {path}: ."):
        from_kubeconfig(str(path))


def test_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(ForbiddenError, match=f"^kubeconfig {path}: ."):
            from_kubeconfig(str(path))


@pytest.mark.parametrize("field", ["ca_file", "cert_file", "key_file"])
@pytest.mark.parametrize("there", [True, False])
def test_a_certificate_that_cannot_be_used_is_named(
    tmp_path: Path, field: str, *, there: bool
) -> None:
    path = tmp_path / "wrong.pem"
    if there:
        path.write_text("no certificate", encoding="utf-8")
    files: dict[str, Any] = {field: str(path)} | (
        {"cert_file": str(path)} if field == "key_file" else {}
    )
    with pytest.raises(ForbiddenError, match=f"^no certificates in {path}"):
        Connection(server=URL, **files).tls()


def test_plain_http_needs_no_certificates() -> None:
    assert Connection(server="http://127.0.0.1:8080", ca_file="/nowhere").tls() is None


def test_files_may_say_it_too(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("abc", encoding="utf-8")
    found = from_files(f"{URL}/", ca_file="/ca.crt", token_file=str(token))
    assert (found.server, found.ca_file) == (URL, "/ca.crt")
    assert found.credentials.header() == "Bearer abc"
    assert from_files(URL).credentials.header() == ""


def test_the_environment_names_a_kubeconfig_or_the_pods_own_server(write: Write) -> None:
    pod = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    assert from_environment(pod | {"KUBECONFIG": write()}).server == URL
    inside = from_environment(pod)
    assert inside.server == "https://[fd00::1]:443"
    assert inside.ca_file == "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
    assert from_environment(pod | {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}).server == (
        "https://10.0.0.1:443"
    )


@pytest.mark.parametrize("environ", [{}, {"KUBECONFIG": ""}, {"KUBERNETES_SERVICE_HOST": "a"}])
def test_without_either_the_way_out_is_said(environ: dict[str, str]) -> None:
    with pytest.raises(ForbiddenError, match="set KUBECONFIG, or run as a pod"):
        from_environment(environ)


@pytest.mark.parametrize(
    "content",
    [
        "users:\n- user: {token: KEPT\nfoo",
        "KEPT: : :",
        "users:\n- user:\n    token: *KEPT",
        "users:\n- user:\n    token: KEPT\n\tx",
        "users: [{name: me, user: {token: KEPT}}]",
        "[KEPT]",
        "KEPT",
    ],
)
def test_a_wrong_kubeconfig_is_not_quoted(tmp_path: Path, content: str) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ForbiddenError) as caught:
        from_kubeconfig(str(path))
    assert "KEPT" not in str(caught.value)


PLAIN: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "a token": ({"token": "hunter2"}, {}),
    "a token and an authority": ({"token": "hunter2"}, {"certificate-authority": "ca.pem"}),
    "certificates": ({"client-certificate": "cert.pem", "client-key": "key.pem"}, {}),
    "nothing, trusted unseen": ({}, {"insecure-skip-tls-verify": True, "server": f"{URL}/"}),
}


@pytest.mark.parametrize("case", PLAIN)
def test_what_is_read_without_the_library_is_what_the_library_reads(
    write: Write, tmp_path: Path, case: str
) -> None:
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).touch()
    user, cluster = PLAIN[case]
    path = write(user, **cluster)
    found, known = plain(path, ""), kubeconfig.read(path, "")
    assert found == Plain(
        server=known.server,
        verify=known.verify,
        ca_file=known.ca_file,
        cert_file=known.cert_file,
        key_file=known.key_file,
        header=known.credentials.header(),
    )
    assert from_kubeconfig(path).server == URL


@pytest.mark.parametrize(
    ("user", "cluster"),
    [
        ({"tokenFile": "token"}, {}),
        ({"exec": {}}, {}),
        ({"username": "a", "password": "b"}, {}),
        ({"client-key-data": "aGVsbG8="}, {}),
        ({}, {"certificate-authority-data": "aGVsbG8="}),
        ({}, {"certificate-authority": "nowhere.pem"}),
        ({}, {"proxy-url": "http://127.0.0.1:9"}),
        ({}, {"tls-server-name": "other"}),
    ],
)
def test_what_only_the_library_knows_is_left_to_it(
    write: Write, user: dict[str, Any], cluster: dict[str, Any]
) -> None:
    assert plain(write(user, **cluster), "") is None
