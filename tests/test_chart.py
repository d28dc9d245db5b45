"""The Helm chart of the bot, rendered by the product itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.kubernetes_api import open_context
from bot.adapters.kubernetes_live import read_live
from bot.composition.clusters import read_config
from bot.manifests import documents
from bot.manifests.render import make_renderer
from bot.manifests.rendered import RenderRequest, RenderResult, RootKind
from bot.settings_table import SETTINGS
from tests import kubernetes_api, live_cluster

DEPLOY = Path(__file__).parent.parent / "deploy"
CHART = DEPLOY / "helm"
Body = Mapping[str, Any]


def template(values: Mapping[str, Any]) -> RenderResult:
    """The chart with these values."""
    request = RenderRequest(RootKind.HELM, "tuppence", "shop", "finops", values=values)
    return make_renderer()(CHART, [request])[0]


def objects(**values: Any) -> dict[str, Body]:  # noqa: ANN401 - Helm's values
    """Its objects, by kind and what follows the release's name."""
    result = template(values)
    assert result.failure is None
    assert not result.left_out
    return {
        f"{it.body['kind']}{it.body['metadata']['name'].removeprefix('shop-tuppence')}": it.body
        for it in result.objects
    }


def pod(found: Mapping[str, Body]) -> Body:
    """The pod's spec."""
    spec: Body = found["StatefulSet"]["spec"]["template"]["spec"]
    return spec


def variables(found: Mapping[str, Body]) -> dict[str, Body]:
    """The container's environment."""
    return {entry["name"]: entry for entry in pod(found)["containers"][0]["env"]}


def test_by_default_one_contained_pod_with_its_own_sqlite() -> None:
    """What the pod security standard `restricted` asks for, and a volume of its own."""
    found = objects()
    [container] = pod(found)["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod(found)["securityContext"]["runAsNonRoot"] is True
    assert pod(found)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod(found)["automountServiceAccountToken"] is False
    assert pod(found)["terminationGracePeriodSeconds"] == 20
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert variables(found)["TUPPENCE_DATABASE_URL"]["value"].startswith("sqlite:////var/lib/tuppence/")
    [claim] = found["StatefulSet"]["spec"]["volumeClaimTemplates"]
    assert {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}[
        claim["metadata"]["name"]
    ] == "/var/lib/tuppence"
    assert set(found) == {
        "StatefulSet",
        "Service",
        "Service-pods",
        "ServiceAccount",
        "PodDisruptionBudget",
        "NetworkPolicy",
    }


def test_the_chart_brings_no_secret_and_no_secrets_value() -> None:
    """Secrets are yours, and are mounted as files; the App's id is none."""
    found = objects(
        database={"existingSecret": "db"},
        prometheus={"existingSecret": "prom", "url": "http://p"},
        slack={"existingSecret": "chat"},
    )
    assert "Secret" not in found
    secret = {setting.name for setting in SETTINGS if setting.secret}
    assert not secret & set(variables(found))
    mounted = {volume["secret"]["secretName"] for volume in pod(found)["volumes"] if "secret" in volume}
    assert mounted == {"tuppence-github", "db", "prom", "chat"}
    known = {setting.name for setting in SETTINGS} | {f"{name}_FILE" for name in secret}
    assert set(variables(found)) <= known


def test_the_servers_file_and_its_price_sheets_are_mounted(tmp_path: Path) -> None:
    """As they were written, and good enough to serve with; another file starts the pods anew."""
    cluster = {
        "name": "prod-eu",
        "prometheus": {"url": "https://thanos.example.com", "selector": {"cluster": "prod-eu"}},
        "prices": "prod-eu.yaml",
    }
    team = {"name": "payments", "budget_monthly": 17500000}
    config = {"clusters": [cluster], "teams": [team], "digest": {"time": "09:00"}, "retention_days": 400}
    found = objects(config=config, priceSheets={"prod-eu.yaml": "currency: EUR\nas_of: 2026-11-01\n"})
    [container] = pod(found)["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    [volume] = [volume for volume in pod(found)["volumes"] if volume["name"] == "config"]
    assert container["args"] == ["serve", "--config", f"{mounts['config']}/tuppence.yaml"]
    assert volume["configMap"]["name"] == found["ConfigMap-config"]["metadata"]["name"]

    for name, text in found["ConfigMap-config"]["data"].items():
        (tmp_path / name).write_text(text)
    read = read_config(tmp_path / "tuppence.yaml")
    assert (read.retention_days, read.digest.at) == (400, time(9))
    assert read.teams[0].budget_monthly == 17_500_000
    assert read.clusters[0].prices is not None
    assert read.clusters[0].prices.currency == "EUR"

    notes = [
        each["StatefulSet"]["spec"]["template"]["metadata"]["annotations"]
        for each in (found, objects(config=config), objects(config={**config, "retention_days": 1}))
    ]
    assert len({tuple(note.items()) for note in notes}) == 3


def test_without_a_file_none_is_mounted() -> None:
    """One cluster needs only its URL."""
    found = objects(prometheus={"url": "http://p"})
    assert "ConfigMap-config" not in found
    assert pod(found)["containers"][0]["args"] == ["serve"]


def test_more_than_one_pod_needs_postgresql() -> None:
    """Two processes on one SQLite file would be two bots."""
    assert "database.existingSecret" in (template({"replicas": 2}).failure or "")
    found = objects(replicas=2, database={"existingSecret": "db"})
    assert found["StatefulSet"]["spec"]["replicas"] == 2
    assert found["StatefulSet"]["spec"]["serviceName"] == found["Service-pods"]["metadata"]["name"]
    assert found["Service-pods"]["spec"]["clusterIP"] == "None"
    assert found["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1


def test_the_ingress_leads_to_the_webhook_alone() -> None:
    """Metrics and probes stay inside."""
    found = objects(ingress={"enabled": True, "host": "tuppence.example.com", "tlsSecret": "tls"})
    [rule] = found["Ingress"]["spec"]["rules"]
    assert [(path["path"], path["pathType"]) for path in rule["http"]["paths"]] == [
        ("/github/webhook", "Exact")
    ]
    assert "ingress.host" in (template({"ingress": {"enabled": True}}).failure or "")


@pytest.mark.parametrize(
    ("values", "paths", "named"),
    [
        pytest.param({"slack": {"existingSecret": "chat"}}, {"/github/webhook", "/slack/events"}, {"GITHUB_APP_ID", "SLACK_BOT_TOKEN_FILE", "SLACK_SIGNING_SECRET_FILE"}, id="both"),
        pytest.param({"slack": {"existingSecret": "chat"}, "github": {"existingSecret": ""}}, {"/slack/events"}, {"SLACK_BOT_TOKEN_FILE", "SLACK_SIGNING_SECRET_FILE"}, id="Slack alone"),
        pytest.param({"slack": {"existingSecret": "chat", "socketMode": True}}, {"/github/webhook"}, {"GITHUB_APP_ID", "SLACK_BOT_TOKEN_FILE", "SLACK_APP_TOKEN_FILE"}, id="Socket Mode"),
    ],
)  # fmt: skip
def test_github_and_slack_are_each_optional(
    values: dict[str, dict[str, object]], paths: set[str], named: set[str]
) -> None:
    """What calls us is let in, and what we need to answer is there; one of them must be."""
    found = objects(ingress={"enabled": True, "host": "tuppence.example.com"}, **values)
    [rule] = found["Ingress"]["spec"]["rules"]
    assert {path["path"] for path in rule["http"]["paths"]} == paths
    given = {name for name in variables(found) if name.startswith(("GITHUB", "SLACK"))}
    assert given - {"GITHUB_APP_PRIVATE_KEY_FILE", "GITHUB_WEBHOOK_SECRET_FILE"} == named
    nobody = template({"github": {"existingSecret": ""}})
    assert "slack.existingSecret" in (nobody.failure or "")


def test_its_role_is_the_read_role() -> None:
    """One list of rights, in two files."""
    [role] = documents.read((DEPLOY / "rbac-read.yaml").read_bytes()).documents
    found = objects(rbac={"create": True})
    assert found["ClusterRole-read"]["rules"] == role.body["rules"]
    assert pod(found)["automountServiceAccountToken"] is True


def test_the_cluster_that_it_runs_in_is_a_context(tmp_path: Path) -> None:
    """By the token that the pod is given, which is read anew each time: the kubelet replaces it every hour."""
    config = {"clusters": [{"name": "prod", "kube_context": "in-cluster"}]}
    found = objects(rbac={"create": True}, config=config)
    folder, _, name = variables(found)["KUBECONFIG"]["value"].rpartition("/")
    [container] = pod(found)["containers"]
    assert folder in {mount["mountPath"] for mount in container["volumeMounts"]}
    given, kubeconfig = tmp_path / "serviceaccount", tmp_path / name
    given.mkdir()
    (given / "ca.crt").write_text("")
    text = found["ConfigMap-config"]["data"][name]
    kubeconfig.write_text(text.replace("/var/run/secrets/kubernetes.io/serviceaccount", str(given)))
    for token in ("first", "second"):
        (given / "token").write_text(token)
        with kubernetes_api.serving(kubernetes_api.Cluster(live_cluster.nodes(), token=token)) as url:
            api = open_context("in-cluster", kubeconfig=str(kubeconfig), server=url)
            assert read_live(api).nodes
            api.close()
    assert "KUBECONFIG" not in variables(objects(config=config))


def test_prometheus_scrapes_each_pod_once() -> None:
    """Two Services lead to it, and only one has the port that the ServiceMonitor names."""
    found = objects(serviceMonitor={"enabled": True, "labels": {"release": "kps"}})
    [endpoint] = found["ServiceMonitor"]["spec"]["endpoints"]
    named = [
        name
        for name, body in found.items()
        if body["kind"] == "Service" and body["spec"]["ports"][0]["name"] == endpoint["port"]
    ]
    assert named == ["Service"]
    assert found["ServiceMonitor"]["metadata"]["labels"]["release"] == "kps"


@pytest.mark.parametrize("kind", ["NetworkPolicy", "PodDisruptionBudget"])
def test_a_policy_can_be_left_out(kind: str) -> None:
    """Where a cluster has its own."""
    assert kind not in objects(**{kind[0].lower() + kind[1:]: {"enabled": False}})


def test_the_product_prices_its_own_chart(tmp_path: Path) -> None:
    """The pod and its volume are rows, and nothing of the chart stays unread."""
    (tmp_path / "before").mkdir()
    done = subprocess.run(
        [
            sys.executable, "-m", "bot", "diff", "--base-dir", tmp_path / "before", "--head-dir", CHART,
            "--format", "json",
        ],
        cwd=DEPLOY.parent, env={"PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True, check=True,
    )  # fmt: skip
    report = json.loads(done.stdout)
    [row] = [row for row in report["workloads"] if row["kind"] == "StatefulSet"]
    assert row["after"]["pod"]["cpu_cores"] == "0.25"
    assert float(report["monthly"]["after"]["expected"]) > 0
    assert report["unpriced"] == []
