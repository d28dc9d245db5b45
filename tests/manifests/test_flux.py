"""Flux Kustomizations and HelmReleases: what they have rendered from the repository, and what not."""

from __future__ import annotations

import json

import pytest

from bot.manifests.flux import substituted
from tests.manifests.memory_tree import (
    CHART,
    RecordingRenderer,
    changed,
    cpu,
    deployment,
    names,
    read,
    really,
    unpriced,
)


def flux(kind: str, spec: object, name: str = "api", group: str = "kustomize") -> str:
    """A Flux object."""
    metadata = {"name": name, "namespace": "flux"}
    return json.dumps(
        {"apiVersion": f"{group}.toolkit.fluxcd.io/v1", "kind": kind, "metadata": metadata, "spec": spec}
    )


def test_a_flux_kustomization_is_rendered_with_its_variables() -> None:
    """With real Kustomize: target namespace, patches, inline variables over those of a ConfigMap."""
    spec = {
        "path": "./k",
        "sourceRef": {"kind": "GitRepository", "name": "flux-system"},
        "targetNamespace": "shop",
        "patches": [
            {
                "target": {"kind": "Deployment"},
                "patch": "- {op: add, path: /spec/replicas, value: '${count}'}",
            }
        ],
        "postBuild": {
            "substitute": {"count": "4"},
            "substituteFrom": [{"kind": "ConfigMap", "name": "vars"}, {"kind": "Secret", "name": "hidden"}],
        },
    }
    variables = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars, namespace: flux}\ndata: {cpu: 250m, count: '1'}\n"
    files = {
        "k/kustomization.yaml": "resources: [api.yaml]\n",
        "k/api.yaml": deployment("api", "${cpu:=1}"),
        "flux/api.yaml": flux("Kustomization", spec),
        "vars/vars.yaml": variables,
    }
    change = really(files, {**files, "vars/vars.yaml": variables.replace("250m", "500m")})
    assert names(change.head) == ["ConfigMap flux/vars", "Deployment shop/api"]
    assert cpu(change) == ["500m"]
    assert change.head.objects[-1].body["spec"]["replicas"] == 4
    reason = "rendered without the variables of Secret hidden, not readable here"
    assert unpriced(change.head) == [("Kustomization", "flux/api.yaml", reason)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("${A}", 3),
        ("x-${A}-${B:=two}-${C}", "x-3-two-${C}"),
        ("$${A}", "${A}"),
        ("${C:-yes}", True),
        (["${A}", 5, {"k": "$A"}], [3, 5, {"k": "$A"}]),
    ],
    ids=str,
)
def test_variables_are_substituted_as_flux_does(value: object, expected: object) -> None:
    """Defaults, escapes, and values that become numbers because Flux works on text."""
    assert substituted(value, {"A": "3"}) == expected


RELEASE = {
    "chart": {"spec": {"chart": "./charts/api", "sourceRef": {"kind": "GitRepository", "name": "apps"}}},
    "targetNamespace": "shop",
    "values": {"cpu": 6},
    "valuesFrom": [{"kind": "ConfigMap", "name": "defaults"}, {"kind": "Secret", "name": "secret"}],
}


def test_a_helm_release_of_a_chart_in_the_repository_is_rendered() -> None:
    """With real Helm: values of a ConfigMap below its own; a Secret's are missing, and told."""
    files = {
        **CHART,
        "release.yaml": flux("HelmRelease", RELEASE, group="helm"),
        "defaults.yaml": (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: defaults, namespace: flux}\n"
            "data:\n  values.yaml: |\n    cpu: 1\n    nested: {deep: 2}\n"
        ),
    }
    render = RecordingRenderer()
    read({}, files, render)
    (request,) = [request for request in render.requests if request.release_name == "shop-api"]
    assert (request.namespace, request.values) == ("shop", {"cpu": 6, "nested": {"deep": 2}})
    change = really(files, changed(files, "charts/api/templates/api.yaml"))
    assert (names(change.head), cpu(change)) == (["Deployment shop/shop-api"], [6])
    reason = "rendered without the values of Secret secret, which cannot be read here"
    assert unpriced(change.head) == [("HelmRelease", "release.yaml", reason)]


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (
            {
                "chart": {
                    "spec": {
                        "chart": "redis",
                        "version": "7.x",
                        "sourceRef": {"kind": "HelmRepository", "name": "b"},
                    }
                }
            },
            "chart redis 7.x of HelmRepository b is not in this repository",
        ),
        (
            {"chartRef": {"kind": "OCIRepository", "name": "redis"}},
            "its chart is the OCIRepository redis, not in this repository",
        ),
    ],
    ids=["repository", "reference"],
)
def test_a_remote_chart_is_named(spec: object, reason: str) -> None:
    """Only where the release changed: what stays as it is costs what it did."""
    files = {"release.yaml": flux("HelmRelease", spec, group="helm"), "x.yaml": deployment("x")}
    assert unpriced(read({}, files).head) == [("HelmRelease", "release.yaml", reason)]
    assert unpriced(read(files, changed(files, "x.yaml")).head) == []


def test_what_changed_in_the_values_of_a_remote_chart_is_told() -> None:
    """Its cost is not known, but that it changes is."""
    base, head = (
        {
            "release.yaml": flux(
                "HelmRelease",
                {
                    "chartRef": {"kind": "OCIRepository", "name": "redis"},
                    "values": {"image": size, "master": {"resources": {"limits": {"memory": size}}}},
                },
                group="helm",
            )
        }
        for size in ("1Gi", "4Gi")
    )
    reason = "its chart is the OCIRepository redis, not in this repository"
    assert unpriced(read(base, head).head) == [
        (
            "HelmRelease",
            "release.yaml",
            f"{reason}; its values change: master.resources.limits.memory 1Gi → 4Gi",
        )
    ]


def shop(name: str) -> dict[str, str]:
    """Two clusters, each with a Kustomization `apps` of its own and a release of one chart patched for it."""
    release = {
        "chart": {"spec": {"chart": "charts/api", "sourceRef": {"kind": "GitRepository", "name": name}}}
    }
    files = {**CHART, "apps/base/kustomization.yaml": "resources: [release.yaml]\n"}
    files["apps/base/release.yaml"] = flux("HelmRelease", {**release, "values": {"cpu": 1}}, group="helm")
    for cluster, cores in (("staging", 2), ("production", 4)):
        source = {"kind": "GitRepository", "name": name}
        files[f"clusters/{cluster}/apps.yaml"] = flux(
            "Kustomization", {"path": f"./apps/{cluster}", "sourceRef": source}, "apps"
        )
        files[f"apps/{cluster}/kustomization.yaml"] = "resources: [../base]\npatches: [{path: cpu.yaml}]\n"
        files[f"apps/{cluster}/cpu.yaml"] = flux("HelmRelease", {"values": {"cpu": cores}}, group="helm")
    return {path: str(text) for path, text in files.items()}


@pytest.mark.parametrize("cluster", ["staging", "production"])
def test_clusters_with_objects_of_one_name_are_all_seen(cluster: str) -> None:
    """The Flux layout of a folder a cluster: no cluster's Kustomization or release hides another's."""
    files = shop("flux-system")
    patch = f"apps/{cluster}/cpu.yaml"
    change = really(files, {**files, patch: files[patch].replace('"cpu": ', '"cpu": 1')})

    assert names(change.head) == [f"{cluster}: Deployment flux/api"]
    assert cpu(change) == [{"staging": 12, "production": 14}[cluster]]


def test_a_chart_that_changes_is_rendered_as_each_overlay_releases_it() -> None:
    """With the values and in the environment of the overlay, not as the base is written."""
    files = shop("flux-system")
    change = really(files, changed(files, "charts/api/templates/api.yaml"))

    assert names(change.head) == ["production: Deployment flux/api", "staging: Deployment flux/api"]
    assert set(cpu(change)) == {2, 4}


def test_releases_of_an_overlay_that_cannot_be_rendered_are_told_as_they_are_written() -> None:
    """One remote resource must not silence every release beside it."""
    release = {"chartRef": {"kind": "OCIRepository", "name": "redis"}, "values": {"replicas": 1}}
    files = {
        "k/kustomization.yaml": "resources: [release.yaml, https://example.com/x.yaml]\n",
        "k/release.yaml": flux("HelmRelease", release, group="helm"),
    }
    head = {**files, "k/release.yaml": files["k/release.yaml"].replace('"replicas": 1', '"replicas": 3')}
    change = read(files, head, RecordingRenderer(failures={"k": "remote"}))

    assert unpriced(change.head) == [
        ("Root", "k/kustomization.yaml", "remote"),
        (
            "HelmRelease",
            "k/release.yaml",
            "its chart is the OCIRepository redis, not in this repository; its values change: replicas 1 → 3",
        ),
    ]
