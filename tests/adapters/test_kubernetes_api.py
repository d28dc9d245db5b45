"""Kubeconfigs: contexts, credential plugins and files that are none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot.adapters.kubernetes_api import open_context
from bot.adapters.kubernetes_live import read_live
from bot.errors import ClusterUnavailable, UserError
from tests import kubernetes_api, live_cluster
from tests.kubernetes_api import Cluster, kubeconfig

URL = "http://127.0.0.1:9"


def test_an_unknown_context_is_answered_with_those_there_are(tmp_path: Path) -> None:
    """A slip of the pen is mended at once."""
    path = kubeconfig(tmp_path, URL, contexts=("staging", "production"))
    with pytest.raises(UserError, match=r"no context 'prod'; it has staging, production"):
        open_context("prod", kubeconfig=path)


def test_a_missing_kubeconfig_is_named(tmp_path: Path) -> None:
    """With the command that shows what kubectl uses."""
    with pytest.raises(UserError, match=r"nowhere: there is no such file; `kubectl config view`"):
        open_context("test", kubeconfig=str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param("just words", id="words"),
        pytest.param("a: [", id="broken YAML"),
        pytest.param("contexts: 7", id="a number of contexts"),
        pytest.param("contexts: [7]", id="a context that is a number"),
        pytest.param("contexts: [{name: test}]", id="a context without a cluster"),
        pytest.param(
            "contexts: [{name: test, context: {cluster: gone}}]\nclusters: []", id="a cluster that is gone"
        ),
    ],
)
def test_a_kubeconfig_of_another_shape_is_one_line(content: str, tmp_path: Path) -> None:
    """Whatever the client makes of it."""
    path = tmp_path / "kubeconfig"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError) as refusal:
        open_context("test", kubeconfig=str(path))
    assert str(refusal.value).startswith(str(path))
    assert "\n" not in str(refusal.value)


def test_a_server_named_apart_is_asked_instead_of_the_contexts(tmp_path: Path) -> None:
    """KUBERNETES_API_URL, for a tunnel or a local peer."""
    with kubernetes_api.serving(Cluster(live_cluster.nodes())) as url:
        api = open_context("test", kubeconfig=kubeconfig(tmp_path, URL), server=f"{url}/")
        assert [node.name for node in read_live(api).nodes] == ["node-a", "node-b"]
        api.close()


def plugin(folder: Path, program: str) -> dict[str, object]:
    """A user whose credentials come from a program."""
    script = folder / "plugin.py"
    script.write_text(program, encoding="utf-8")
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(script)],
            "interactiveMode": "Never",
        }
    }


def test_a_credential_plugin_gives_the_token(tmp_path: Path) -> None:
    """As for kubectl: cloud clusters have no other way in."""
    answer = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": kubernetes_api.TOKEN},
    }
    user = plugin(tmp_path, f"print({json.dumps(json.dumps(answer))})")
    with kubernetes_api.serving(Cluster(live_cluster.nodes())) as url:
        api = open_context("test", kubeconfig=kubeconfig(tmp_path, url, user=user))
        assert [node.name for node in read_live(api).nodes] == ["node-a", "node-b"]
        api.close()


def test_a_credential_plugin_that_fails_ends_in_one_line(tmp_path: Path) -> None:
    """Without its token the server refuses, and the line says to log in."""
    user = plugin(tmp_path, "raise SystemExit('session expired')")
    with kubernetes_api.serving(Cluster(live_cluster.nodes())) as url:
        api = open_context("test", kubeconfig=kubeconfig(tmp_path, url, user=user))
        with pytest.raises(UserError, match="log in again"):
            read_live(api)
        api.close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1 with its key."""
    path = tmp_path / "server.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=api"]
    command += [
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(path),
        "-out",
        str(tmp_path / "cert"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + (tmp_path / "cert").read_text(), encoding="utf-8")
    return path


def test_a_certificate_is_trusted_by_its_authority_alone(certificate: Path, tmp_path: Path) -> None:
    """With certificate-authority it works; without, it is one line that names it."""
    with kubernetes_api.serving(Cluster(live_cluster.nodes()), certificate) as url:
        trusting = open_context("test", kubeconfig=kubeconfig(tmp_path, url, authority=certificate))
        assert read_live(trusting).nodes
        trusting.close()
        doubting = open_context("test", kubeconfig=kubeconfig(tmp_path, url))
        with pytest.raises(ClusterUnavailable, match="TLS failed; is the kubeconfig's certificate-authority"):
            read_live(doubting)
        doubting.close()
