"""A value of a Helm release: the key of its values that moves the field, found by rendering with another value."""

from __future__ import annotations

import pytest

from bot.manifests.edits.source_files import Kind
from bot.manifests.edits.wanted import Why
from estimators.objects import Identity
from tests.manifests.edits.editing import CPU, REPLICAS, changed_lines, refused, wanted, written

TEMPLATE = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-NAME
spec:
  replicas: REPLICAS
  template:
    spec:
      containers:
      - name: main
        resources: RESOURCES
"""
API = Identity("", "", "Deployment", "release-api")


def template(name: str = "api", replicas: str = "{{ .Values.replicas }}", resources: str = "{}") -> str:
    """A template of a Deployment."""
    return TEMPLATE.replace("NAME", name).replace("REPLICAS", replicas).replace("RESOURCES", resources)


def chart(values: str, *templates: str, **more: str) -> dict[str, str]:
    """A chart in `chart/`, and more of its files by the first part of their name."""
    return {
        "chart/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 0.1.0\n",
        "chart/values.yaml": values,
        **{f"chart/templates/{at}.yaml": text for at, text in enumerate(templates)},
        **{f"chart/{name.replace('_', '-')}.yaml": text for name, text in more.items()},
    }


def test_the_value_of_all_that_are_alike_is_found_by_rendering() -> None:
    """Three keys say `2`; the likeliest by name is another object's."""
    values = "replicas: 2\nweb:\n  replicas: 2  # of the shop window\nport: 2\nworkers: 2\n"
    files = chart(
        values, template(replicas="{{ .Values.workers }}"), template("web", "{{ .Values.web.replicas }}")
    )
    edit = written(files, wanted(REPLICAS, "1", API))
    assert changed_lines(files, edit) == ["-workers: 2", "+workers: 1"]
    web = API._replace(name="release-web")
    edit = written(files, wanted(REPLICAS, "1", web))
    assert changed_lines(files, edit)[1:] == ["+  replicas: 1  # of the shop window"]
    assert (edit.places[0].file, edit.places[0].line, edit.places[0].kind) == (
        "chart/values.yaml",
        3,
        Kind.VALUES,
    )


_RESOURCES = "{{ toYaml .Values.resources | nindent 10 }}"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param("replicas: 1\nresources: {}\n# the end\n", ["-resources: {}", "+resources:", "+  requests:", "+    cpu: 250m"], id="empty"),
        pytest.param("replicas: 1\nresources:\n  limits:\n    memory: 1Gi\n", ["+  requests:", "+    cpu: 250m"], id="limits only"),
        pytest.param('replicas: 1\nother:\n  requests: {cpu: "1"}\nresources:\n  requests:\n    memory: "1Gi"\n', ['+    cpu: "250m"'], id="another request"),
        pytest.param("replicas: 1\nresources: {requests: {cpu: 1}}\n", ["-resources: {requests: {cpu: 1}}", "+resources: {requests: {cpu: 250m}}"], id="there"),
    ],
)  # fmt: skip
def test_requests_are_written_into_the_values(values: str, expected: list[str]) -> None:
    """A request that is not there yet goes where the chart takes the others from."""
    files = chart(values, template(resources=_RESOURCES))
    assert changed_lines(files, written(files, wanted(CPU, "250m", API))) == expected


PROD = API._replace(environment="prod")


def test_a_value_of_an_environments_own_file_is_written_there() -> None:
    """The chart's defaults and the other environments stay."""
    files = chart("replicas: 2\n", template(), values_prod="replicas: 2\n", values_dev="{}\n")
    edit = written(files, wanted(REPLICAS, "3", PROD))
    assert (list(edit.files), changed_lines(files, edit)) == (
        ["chart/values-prod.yaml"],
        ["-replicas: 2", "+replicas: 3"],
    )


def test_a_default_of_the_chart_is_overridden_for_one_environment() -> None:
    """Written into its own file, since the default is for the others as well."""
    prod = "# production\nweb:\n  port: 1\n"
    files = chart(
        "web: {replicas: 2}\n",
        template(replicas="{{ .Values.web.replicas }}"),
        values_prod=prod,
        values_dev="x: 1\n",
    )
    edit = written(files, wanted(REPLICAS, "3", PROD))
    assert (list(edit.files), changed_lines(files, edit)) == (["chart/values-prod.yaml"], ["+  replicas: 3"])


def test_a_default_is_written_where_one_environment_alone_has_it() -> None:
    """A chart without values files of its own."""
    files = chart("replicas: 2\n", template())
    assert changed_lines(files, written(files, wanted(REPLICAS, "3", API))) == [
        "-replicas: 2",
        "+replicas: 3",
    ]


def test_a_value_in_quotes_keeps_them() -> None:
    """What the chart renders is looked at: a number."""
    files = chart('replicas: "2"\n', template())
    assert changed_lines(files, written(files, wanted(REPLICAS, "3", API)))[1:] == ['+replicas: "3"']


def test_a_subcharts_value_is_written() -> None:
    """In the parent's values where they have it, else in its own."""
    inner = {
        "chart/charts/db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n",
        "chart/charts/db/values.yaml": "replicas: 4\n",
        "chart/charts/db/templates/db.yaml": template("db"),
    }
    db = API._replace(name="release-db")
    own = {**chart("x: 1\n"), **inner}
    assert list(written(own, wanted(REPLICAS, "5", db)).files) == ["chart/charts/db/values.yaml"]
    parents = {**chart("db:\n  replicas: 6\n"), **inner}
    assert changed_lines(parents, written(parents, wanted(REPLICAS, "5", db)))[1:] == ["+  replicas: 5"]


def test_a_value_that_the_template_itself_says_is_written_there() -> None:
    """No values hold it; the rest of the template is no YAML, and stays."""
    files = chart(
        "x: 1\n", template(replicas='2  # always {{ "two" }}').replace('  # always {{ "two" }}', "  # always")
    )
    edit = written(files, wanted(REPLICAS, "3", API))
    assert (changed_lines(files, edit)[1:], edit.places[0].kind) == (
        ["+  replicas: 3  # always"],
        Kind.TEMPLATE,
    )


_RELEASE = """apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop, namespace: apps}
spec:
  chart:
    spec:
      chart: ./chart
      sourceRef: {kind: GitRepository, name: flux-system}
  values:
    replicas: 2  # of two zones
"""
_APPLICATION = """apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec:
  destination: {namespace: apps}
  source:
    repoURL: https://example.com/shop.git
    path: chart
    helm:
      values: |
        # of two zones
        replicas: 2
"""


@pytest.mark.parametrize(
    ("release", "expected", "name"),
    [
        pytest.param(_RELEASE, "+    replicas: 3  # of two zones", "shop-api", id="Flux HelmRelease"),
        pytest.param(_APPLICATION, "+        replicas: 3", "shop-api", id="Argo CD values as text"),
        pytest.param(_APPLICATION.replace("values: |", "valuesObject:"), "+        replicas: 3", "shop-api", id="Argo CD values"),
        pytest.param(_APPLICATION.replace("values: |", "parameters:").replace("replicas: 2", '- {name: replicas, value: "2"}'),
            '+        - {name: replicas, value: "3"}', "shop-api", id="Argo CD parameters"),
    ],
)  # fmt: skip
def test_inline_values_of_a_release_are_written(release: str, expected: str, name: str) -> None:
    """They win over the chart's own, which stay."""
    files = {**chart("replicas: 1\n", template()), "apps/shop.yaml": release}
    edit = written(files, wanted(REPLICAS, "3", Identity("", "apps", "Deployment", name)))
    assert changed_lines(files, edit)[1:] == [expected]


@pytest.mark.parametrize(
    ("files", "why", "words"),
    [
        pytest.param(chart("replicas: 2\n", template(), template("web")), Why.SHARED,
            "chart/values.yaml:1 says it, and would also move Deployment release-web spec.replicas 2 → 7: "
            "give it a value of its own in chart/values.yaml, and make it 7.", id="one value for two objects"),
        pytest.param(chart("zones: 2\n", template(replicas="{{ mul .Values.zones 2 }}")), Why.COMPUTED, "no file says it", id="a product"),
        pytest.param(chart("zones: 4\n", template(replicas="{{ max .Values.zones 9 | add -5 }}")), Why.COMPUTED, "no file says it", id="a sum"),
        pytest.param(chart("zones: 2\n", template(replicas="{{ min .Values.zones 5 }}")), Why.COMPUTED,
            "7 at chart/values.yaml:1 makes Deployment release-api spec.replicas 2 → 5: write there what gives 7.", id="a bound"),
        pytest.param(chart("a: &n 2\nb: *n\n", template(replicas="{{ .Values.a }}")), Why.COMPUTED, "no file says it", id="an anchor"),
    ],
)  # fmt: skip
def test_what_is_shared_or_computed_is_left_to_a_person(files: dict[str, str], why: Why, words: str) -> None:
    """With the place, and what would have moved."""
    found = refused(files, wanted(REPLICAS, "7", API))
    assert (found.why, words in found.advice) == (why, True), found.advice


def test_what_a_chart_makes_up_anew_each_time_does_not_move() -> None:
    """A random password differs between any two renderings."""
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: {{ randAlphaNum 20 | quote }}}\n"
    files = chart("replicas: 2\n", template(), secret)
    assert changed_lines(files, written(files, wanted(REPLICAS, "3", API)))[1:] == ["+replicas: 3"]
