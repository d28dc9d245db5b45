"""A value of a plain manifest: its line alone is written anew, in the style of its neighbours."""

from __future__ import annotations

import pytest

from bot.manifests.edits.wanted import Wanted, Why, field_path
from bot.manifests.edits.whole_tree import EditedTree
from bot.manifests.environments import EnvironmentRule
from bot.ports import SkippedPath
from estimators.objects import Identity
from estimators.recommendation import FieldChange
from tests.manifests.edits.editing import (
    API,
    CPU,
    MEMORY_LIMIT,
    REPLICAS,
    changed_lines,
    refused,
    wanted,
    whole,
    written,
)
from tests.manifests.memory_tree import MemoryTree

HEAD = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec:\n  replicas: 3\n"
POD = HEAD + "  template:\n    spec:\n      containers:\n"

DATA, DB = Identity("", "", "PersistentVolumeClaim", "data"), Identity("", "", "StatefulSet", "db")
SIZE = ("spec", "resources", "requests", "storage")
TEMPLATE = ("spec", "volumeClaimTemplates", 0, *SIZE)
CLAIM = """apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  resources:
    requests: {storage: 1Ti}
"""
STATEFUL = """apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {resources: {requests: {storage: 1Ti}}}
"""
EPHEMERAL = ("spec", "template", "spec", "volumes", 0, "ephemeral", "volumeClaimTemplate", *SIZE)


def api(container: str) -> str:
    """A Deployment whose containers are the given lines."""
    return POD + container.removeprefix("\n")


@pytest.mark.parametrize(
    ("manifest", "field", "value", "expected"),
    [
        pytest.param(api("""
      - name: api
        resources:
          requests:
            cpu: 500m  # since INC-7, see 500m
"""), CPU, "200m", ["-            cpu: 500m  # since INC-7, see 500m", "+            cpu: 200m  # since INC-7, see 500m"],
            id="a comment behind it"),
        pytest.param(api("""
      - name: api
        resources: {requests: {cpu: "1", memory: "1Gi"}}
"""), CPU, "500m", ['-        resources: {requests: {cpu: "1", memory: "1Gi"}}', '+        resources: {requests: {cpu: "500m", memory: "1Gi"}}'],
            id="braces and quotes"),
        pytest.param(api("""
      - name: api
        resources:
          limits:
            memory: '1Gi'
            cpu: '1'
"""), CPU, "250m", ["+          requests:", "+            cpu: '250m'"], id="a request where only limits are"),
        pytest.param(api("""
      - name: api
        resources:
            limits:
                memory: 1Gi
        image: x
"""), CPU, "250m", ["+            requests:", "+                cpu: 250m"], id="an indentation of four"),
        pytest.param(api("""
      - name: api
        resources: {limits: {memory: 1Gi}}
"""), CPU, "250m", ["-        resources: {limits: {memory: 1Gi}}", "+        resources: {limits: {memory: 1Gi}, requests: {cpu: 250m}}"],
            id="a request in braces"),
        pytest.param(api("""
      - name: api
        resources: {}  # none yet
        image: x
"""), CPU, "250m", ["-        resources: {}  # none yet", "+        resources:  # none yet", "+          requests:", "+            cpu: 250m"],
            id="empty braces among lines"),
        pytest.param(api("""
      - name: api
        resources:
        # limits: {cpu: 1}
        image: x
"""), CPU, "250m", ["+          requests:", "+            cpu: 250m"], id="nothing behind the key"),
        pytest.param(api("""
      - name: api
        image: x
        command: [sh, -c]
        args:
        - |
          sleep 1

"""), MEMORY_LIMIT, "1Gi", ["+        resources:", "+          limits:", "+            memory: 1Gi"], id="no resources, a text at the end"),
        pytest.param(HEAD.replace("  replicas: 3\n", "") + "  paused: false\n  template: {spec: {containers: [{name: api}]}}\n",
            REPLICAS, "2", ["+  replicas: 2"], id="replicas that are not there"),
        pytest.param(api("      - {name: api}\n"), REPLICAS, "2", ["-  replicas: 3", "+  replicas: 2"], id="replicas"),
        pytest.param(api("      - {name: api}\n"), CPU, "2", ["-      - {name: api}", "+      - {name: api, resources: {requests: {cpu: 2}}}"],
            id="a container in braces"),
        pytest.param("\ufeff" + api("      - name: api\n        resources: {requests: {cpu: 1}}\n").replace("\n", "\r\n"), CPU, "500m",
            ["-        resources: {requests: {cpu: 1}}\r", "+        resources: {requests: {cpu: 500m}}\r"], id="Windows' line ends and a BOM"),
        pytest.param(api("      - name: api\n        image: x\n").replace("\n", "\r\n"), CPU, "500m",
            ["+        resources:\r", "+          requests:\r", "+            cpu: 500m\r"], id="new lines end as the others"),
        pytest.param(api("      - name: api\n        resources: {requests: {cpu: &c 1}}").removesuffix("\n"), CPU, "500m",
            ["-        resources: {requests: {cpu: &c 1}}", "+        resources: {requests: {cpu: &c 500m}}"],
            id="an anchor that nobody repeats, no newline at the end"),
        pytest.param(api("      - name: api").removesuffix("\n"), CPU, "500m",
            ["+        resources:", "+          requests:", "+            cpu: 500m"], id="new lines where no newline ends the file"),
        pytest.param('{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"},\n "spec": {"template": {"spec": {"containers": [{\n  "name": "api",\n  "resources": {}\n }]}}}}\n',
            CPU, "500m", ['-  "resources": {}', '+  "resources": {"requests": {"cpu": "500m"}}'], id="JSON"),
        pytest.param('{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"},\n "spec": {"template": {"spec": {"containers": [{\n  "name": "api",\n  "resources": {"requests": {"cpu": 1}}\n }]}}}}\n',
            CPU, "500m", ['-  "resources": {"requests": {"cpu": 1}}', '+  "resources": {"requests": {"cpu": "500m"}}'], id="a number in JSON becomes text"),
    ],
)  # fmt: skip
def test_only_the_lines_of_the_value_change(
    manifest: str, field: str, value: str, expected: list[str]
) -> None:
    """Comments, quotes, order and indentation stay as somebody wrote them."""
    files = {
        "deploy/api.yaml": "# ours\n" + manifest if not manifest.startswith(("\ufeff", "{")) else manifest
    }
    assert changed_lines(files, written(files, wanted(field, value))) == expected


def _of(kind: str, name: str, spec: str, api_version: str = "apps/v1") -> str:
    return f"apiVersion: {api_version}\nkind: {kind}\nmetadata:\n  name: {name}\nspec:\n{spec}"


_MANY = (
    "# both\n---\n"
    + _of("StatefulSet", "db", "  replicas: 2\n  template:\n    spec:\n      containers:\n      - name: db\n        resources: {limits: {memory: 1Gi}}\n")
    + "---\n"
    + _of("CronJob", "night", "  jobTemplate:\n    spec:\n      template:\n        spec:\n          containers:\n          - name: night\n            resources: {limits: {memory: 1Gi}}\n", "batch/v1")
    + "---\n"
    + _of("Deployment", "api", "  template:\n    spec:\n      initContainers:\n      - name: wait\n        resources: {limits: {memory: 1Gi}}\n      containers:\n      - name: api\n        resources: {limits: {memory: 1Gi}}\n      - name: proxy\n        resources: {limits: {memory: 1Gi}}\n")
    + "---\n"
    + _of("HorizontalPodAutoscaler", "api", "  minReplicas: 2\n  maxReplicas: 8\n  metrics:\n  - type: Resource\n    resource:\n      name: cpu\n      target: {type: Utilization, averageUtilization: 80}\n", "autoscaling/v2")
    + "---\n"
    + _of("Pool", "fleet", "  workers:\n    replicas: 4\n    template:\n      spec:\n        containers:\n        - name: w\n          resources: {limits: {memory: 1Gi}}\n", "example.com/v1")
    + "---\n"
    + _of("PodDisruptionBudget", "api", '  maxUnavailable: "50%"\n', "policy/v1")
    + "---\n"
    + _of("Service", "fn", '  template:\n    metadata:\n      annotations:\n        autoscaling.knative.dev/min-scale: "3"\n    spec: {containers: [{name: fn}]}\n', "serving.knative.dev/v1")
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "name", "field", "value", "line"),
    [
        pytest.param("StatefulSet", "db", "spec.replicas", "1", "+  replicas: 1", id="StatefulSet"),
        pytest.param("CronJob", "night", "spec.jobTemplate.spec.template.spec.containers[0].resources.limits.memory", "2Gi",
            "+            resources: {limits: {memory: 2Gi}}", id="CronJob"),
        pytest.param("Deployment", "api", "spec.template.spec.initContainers[0].resources.limits.memory", "2Gi",
            "+        resources: {limits: {memory: 2Gi}}", id="init container"),
        pytest.param("Deployment", "api", "spec.template.spec.containers[1].resources.limits.memory", "2Gi",
            "+        resources: {limits: {memory: 2Gi}}", id="second container"),
        pytest.param("Deployment", "api", "spec.template.spec.containers[1].resources.limits.nvidia.com/gpu", "2",
            "+        resources: {limits: {memory: 1Gi, nvidia.com/gpu: 2}}", id="a resource with dots"),
        pytest.param("HorizontalPodAutoscaler", "api", "spec.minReplicas", "1", "+  minReplicas: 1", id="HPA minimum"),
        pytest.param("HorizontalPodAutoscaler", "api", "spec.metrics[0].resource.target.averageUtilization", "70",
            "+      target: {type: Utilization, averageUtilization: 70}", id="HPA target"),
        pytest.param("Pool", "fleet", "spec.workers.replicas", "3", "+    replicas: 3", id="custom resource"),
        pytest.param("PodDisruptionBudget", "api", "spec.maxUnavailable", "40%", '+  maxUnavailable: "40%"', id="a share"),
        pytest.param("PodDisruptionBudget", "api", "spec.maxUnavailable", "1", "+  maxUnavailable: 1", id="a count loses a share's quotes"),
        pytest.param("StatefulSet", "db", "spec.template.spec.nodeSelector.karpenter.sh/capacity-type", "spot",
            "+        karpenter.sh/capacity-type: spot", id="a node selector"),
        pytest.param("StatefulSet", "db", "spec.template.spec.nodeSelector.spot", "true", '+        spot: "true"', id="a label that looks like no text"),
        pytest.param("Service", "fn", "spec.template.metadata.annotations.autoscaling.knative.dev/min-scale", "1",
            '+        autoscaling.knative.dev/min-scale: "1"', id="an annotation"),
        pytest.param("Service", "fn", "spec.template.metadata.annotations.autoscaling.knative.dev/max-scale", "9",
            '+        autoscaling.knative.dev/max-scale: "9"', id="a new annotation is text"),
    ],
)  # fmt: skip
def test_one_of_many_documents_is_written(kind: str, name: str, field: str, value: str, line: str) -> None:
    """The same value stands in others, which stay."""
    files = {"all.yaml": _MANY}
    edit = written(files, wanted(field, value, Identity("", "", kind, name)))
    changed = changed_lines(files, edit)
    assert [one for one in changed if one.startswith("+")][-1] == line
    assert len(changed) <= 2


def test_an_item_of_a_list_is_written() -> None:
    """`kind: List`, lists in lists too; the others keep their value."""
    item = "    kind: Deployment\n    metadata: {name: %s}\n    spec: {replicas: 3}\n"
    files = {
        "all.yaml": "apiVersion: v1\nkind: List\nitems:\n"
        + "".join("  - apiVersion: apps/v1\n" + item % name for name in ("web", "api"))
    }
    edit = written(files, wanted(REPLICAS, "2"))
    assert changed_lines(files, edit) == ["-    spec: {replicas: 3}", "+    spec: {replicas: 2}"]
    assert edit.places[0].line == 11


def test_several_values_are_written_together() -> None:
    """One pull request, all or none of its values."""
    files = {"api.yaml": api("      - name: api\n        resources: {limits: {memory: 1Gi}}\n")}
    edit = written(files, wanted(CPU, "100m"), wanted(MEMORY_LIMIT, "512Mi"), wanted(REPLICAS, "2"))
    assert changed_lines(files, edit) == [
        "-  replicas: 3",
        "+  replicas: 2",
        "-        resources: {limits: {memory: 1Gi}}",
        "+        resources: {limits: {memory: 512Mi}, requests: {cpu: 100m}}",
    ]
    assert [place.before for place in edit.places] == ["", "1Gi", "3"]


_SHARED = """
      - name: api
        resources: &small
          requests: {cpu: 1}
      - name: proxy
        resources: *small
"""
_ALIAS = """
      - name: api
        resources: {requests: {memory: &m 1Gi}, limits: {memory: *m}}
"""
_MERGED = """
      - name: api
        resources: {requests: &r {cpu: 1}}
      - name: proxy
        resources: {requests: {<<: *r, memory: 1Gi}}
"""


@pytest.mark.parametrize("container", [_SHARED, _MERGED], ids=["alias", "merge"])
@pytest.mark.parametrize("index", [0, 1])
def test_an_anchor_that_others_repeat_stays(container: str, index: int) -> None:
    """The person is told who else has the value from there."""
    found = refused({"api.yaml": api(container)}, wanted(CPU.replace("[0]", f"[{index}]"), "500m"))
    assert found.why is Why.SHARED
    assert f"containers[{1 - index}].resources.requests.cpu 1 → 500m" in found.advice


def test_an_anchor_is_written_where_all_that_repeat_it_are_meant() -> None:
    """Request and limit of one container from one value."""
    both = (MEMORY_LIMIT.replace("limits", "requests"), MEMORY_LIMIT)
    files = {"api.yaml": api(_ALIAS)}
    edit = written(files, *(wanted(field, "2Gi") for field in both))
    assert changed_lines(files, edit)[1:] == [
        "+        resources: {requests: {memory: &m 2Gi}, limits: {memory: *m}}"
    ]
    assert refused(files, wanted(both[1], "2Gi")).why is Why.SHARED


@pytest.mark.parametrize(
    ("files", "change", "why", "words"),
    [
        pytest.param({"a.yaml": api("      - name: api\n        resources:\n          requests: {cpu: 1}\n          requests: {cpu: 1}\n")},
            wanted(CPU, "2"), Why.REFUSED, "`requests` is written twice", id="a key written twice"),
        pytest.param({"a.yaml": api("      - name: api\n") + "---\na: {{ .Values.x }}\n"}, wanted(CPU, "2"), Why.REFUSED, "a template with", id="a template beside it"),
        pytest.param({"a.yaml": api("      - name: api\n") + "---\nkind: X\nsops: {mac: x, version: 3}\n"}, wanted(CPU, "2"), Why.REFUSED, "encrypted with SOPS", id="SOPS beside it"),
        pytest.param({"a.yaml": "sops: {mac: x, version: 3}\n" + HEAD}, wanted(REPLICAS, "2"), Why.NOT_THERE, "is not in these files", id="SOPS"),
        pytest.param({"a.yaml": HEAD, "b.yaml": HEAD}, wanted(REPLICAS, "2"), Why.NOT_THERE, "is written 2 times (a.yaml:1, b.yaml:1)", id="two of the same name"),
        pytest.param({"a.yaml": HEAD}, wanted(REPLICAS, "2", current="4"), Why.STALE, "is 3 by now, not 4", id="another value by now"),
        pytest.param({"a.yaml": HEAD}, wanted(REPLICAS, "2\nx: y"), Why.REFUSED, "no quantity, count, share or label", id="more than a value"),
        pytest.param({"a.yaml": HEAD.replace("replicas: 3", "replicas: |\n    3")}, wanted(REPLICAS, "2"), Why.COMPUTED, "a.yaml:5 is nearest", id="a block text"),
        pytest.param({"a.yaml": HEAD + "  template: *nobody\n"}, wanted(REPLICAS, "2"), Why.NOT_THERE, "is not in these files", id="not YAML"),
        pytest.param({"a.yaml": HEAD}, Wanted(API, (), ""), Why.REMOVAL, "remove Deployment api (a.yaml:1)", id="the whole object"),
        pytest.param({"a.yaml": CLAIM}, Wanted(DATA, SIZE, "40Gi", "1Ti"), Why.FIXED, "a second claim of 40Gi instead of 1Ti (a.yaml:6)", id="a volume"),
        pytest.param({"a.yaml": CLAIM}, Wanted(DATA, SIZE, "40Gi", "2Ti"), Why.STALE, "is 1Ti by now", id="a volume of another size by now"),
        pytest.param({"a.yaml": STATEFUL}, Wanted(DB, TEMPLATE, "40Gi", "1Ti"), Why.FIXED, "--cascade=orphan, apply it with 40Gi", id="a claim template"),
        pytest.param({"a.yaml": HEAD}, wanted(CPU, "1"), Why.COMPUTED, "no file says it", id="a container that is not there"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_left_to_a_person(
    files: dict[str, str], change: Wanted, why: Why, words: str
) -> None:
    """With the reason, the place and what to do."""
    found = refused(files, change)
    assert (found.why, words in found.advice) == (why, True), found.advice


def test_a_volume_that_is_new_with_each_pod_is_written() -> None:
    """It has no size to keep."""
    scratch = (
        "{name: scratch, ephemeral: {volumeClaimTemplate: {spec: {resources: {requests: {storage: 1Ti}}}}}}"
    )
    files = {"a.yaml": HEAD + f"  template:\n    spec:\n      volumes:\n        - {scratch}\n"}
    edit = written(files, Wanted(API, EPHEMERAL, "40Gi", "1Ti"))

    assert "storage: 40Gi" in edit.files["a.yaml"].decode()


@pytest.mark.parametrize(
    ("metadata", "line"),
    [
        ("metadata: {name: api}", 'metadata: {name: api, annotations: {downscaler/uptime: "HOURS"}}'),
        ("metadata:\n  name: api\n  annotations:\n    a: b", '    downscaler/uptime: "HOURS"'),
    ],
    ids=["in braces", "among others"],
)
def test_hours_are_written_as_text_in_quotes(metadata: str, line: str) -> None:
    """Two stretches of a day have a comma between them, which ends a value in braces."""
    hours = "Mon-Fri 00:00-02:00 UTC,Mon-Fri 14:00-24:00 UTC"
    files = {"a.yaml": HEAD.replace("metadata: {name: api}", metadata)}
    edit = written(files, Wanted(API, ("metadata", "annotations", "downscaler/uptime"), hours, ""))

    assert line.replace("HOURS", hours) in edit.files["a.yaml"].decode()


def test_a_link_is_not_followed() -> None:
    """What it leads to is in no tree."""
    tree = MemoryTree({"a.yaml": "x: 1\n"}, skipped=[SkippedPath("api.yaml", "a symlink")])
    edited = EditedTree(tree, {"a.yaml": b"x: 2\n"})
    assert edited.skipped == tree.skipped
    assert dict(edited.read(["a.yaml"])) == {"a.yaml": b"x: 2\n"}


def test_files_of_an_edited_tree_come_in_the_order_asked_for() -> None:
    """Edited ones among the others, as everybody who reads a tree expects."""
    tree = EditedTree(MemoryTree({name: name for name in "abcde"}), {"b": b"B", "e": b"E", "a": b"A"})
    assert "".join(data.decode() for _, data in tree.read("edcba")) == "EdcBA"
    assert tree.paths()["b"] != tree.paths()["c"]
    assert tree.name == "memory"


def test_an_environment_of_the_policy_is_told_from_another() -> None:
    """Two objects of one name in two folders are two where the policy says so."""
    files = {"dev/api.yaml": HEAD, "prod/api.yaml": HEAD}
    rules = [EnvironmentRule("dev", ("dev/**",)), EnvironmentRule("prod", ("prod/**",))]
    change = wanted(REPLICAS, "2", Identity("dev", "", "Deployment", "api"))
    assert list(written(files, change, environments=rules).files) == ["dev/api.yaml"]


def test_a_value_that_is_there_already_needs_no_edit() -> None:
    """Nothing is written, nothing is wrong."""
    files = {"a.yaml": HEAD}
    assert written(files, wanted(REPLICAS, "3")).files == {}
    assert whole(files).side.objects[0].identity.name == "api"


def test_a_recommendations_change_is_what_is_written() -> None:
    """Object, field and values as the finder says them."""
    change = FieldChange(API, field_path(REPLICAS), "", "3", "2", count=True)
    files = {"a.yaml": HEAD}
    assert changed_lines(files, written(files, Wanted.of(change))) == ["-  replicas: 3", "+  replicas: 2"]
