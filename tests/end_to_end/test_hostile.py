"""A pull request of a stranger: a row names what cannot be read, the rest of the report stands, soon."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.commands import Ran, at_most, process, tuppence
from tests.end_to_end.contract import checked
from tests.end_to_end.repositories import Files, Repository, deployment, write

SECONDS = 10
BYTES = 500e6
GOOD = {"apps/good.yaml": deployment("good", replicas=2)}
BETTER = {"apps/good.yaml": deployment("good", replicas=3)}
"""The change that every report must still show."""

BOMB = "".join(
    [
        "a0: &a0 [x, x, x, x, x, x, x, x, x]\n",
        *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)),
    ]
)
NESTED = (
    "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: deep}\nspec: " + "[" * 5000 + "]" * 5000 + "\n"
)


def folders(root: Path, hostile: Files) -> tuple[object, ...]:
    """The options that compare a good change with a hostile one beside it."""
    write(root / "before", GOOD)
    write(root / "after", {**BETTER, **hostile})
    return ("--base-dir", root / "before", "--head-dir", root / "after")


def report(root: Path, hostile: Files) -> Any:  # noqa: ANN401 - JSON
    """The checked report; the good workload is in it, and nothing was written to standard error."""
    ran = tuppence("diff", *folders(root, hostile), "--format", "json")
    assert (ran.status, ran.err) == (0, "")
    told = checked(ran.json)
    assert "good" in {row["name"] for row in told["workloads"]}
    return told


def container(**resources: str) -> str:
    """A Deployment `odd` whose requests and limits are as given, word for word."""
    text = deployment("odd")
    for field, value in resources.items():
        text = text.replace(f"{field}: {{cpu: 500m, memory: 1Gi}}", f"{field}: {value}")
        text = text.replace(f"{field}: {{memory: 1Gi}}", f"{field}: {value}")
    return text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param("a: [", "not YAML", id="cut short"),
        pytest.param("a:\n\t- b\n", "line 2: a tab", id="a tab"),
        pytest.param(BOMB, "alias", id="alias bomb"),
        pytest.param("a: &a [*a]\n", "line 1", id="an alias in itself"),
        pytest.param(NESTED, "deep", id="5,000 deep"),
        pytest.param(b"a: \xff\n", "line 1: byte 0xff", id="not UTF-8"),
        pytest.param("kind: Pod\n".encode("utf-16"), "UTF-16", id="UTF-16"),
        pytest.param(b"\x00\x01\x02", "", id="binary"),
        pytest.param(
            "a: !!python/object/apply:os.system ['touch /tmp/owned']\n", "line 1", id="a Python object"
        ),
        pytest.param("? [a, b]\n: c\n", "line 1", id="a list as key"),
        pytest.param(
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "LFS", id="an LFS pointer"
        ),
        pytest.param(b"a: " + b"x" * 10_000_001, "10,000,000 bytes", id="11 MB"),
        pytest.param("%TAG ! tag:x\n" * 3000 + "--- a\n", "%", id="3,000 directives"),
        pytest.param("{{ if .Values.on }}\nkind: Pod\n{{ end }}\n", "template", id="a template"),
        pytest.param("a: b\nsops: {mac: x, version: '3'}\nkind: Secret\n", "SOPS", id="encrypted"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_row(tmp_path: Path, content: str | bytes, reason: str) -> None:
    """It names the file and why."""
    told = report(tmp_path, {"apps/odd.yaml": content})
    [row] = [item for item in told["unpriced"] if item["file"] == "apps/odd.yaml"]

    assert row["kind"] == "File"
    assert reason in row["reason"]
    assert len(row["reason"]) < 300


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param("---\n---\n# nothing\n---\n", id="empty documents"),
        pytest.param("\N{ZERO WIDTH NO-BREAK SPACE}" + deployment("odd"), id="a byte order mark"),
        pytest.param(deployment("odd").replace("\n", "\r\n"), id="CRLF"),
        pytest.param(
            "kind: List\napiVersion: v1\nitems: [[], null, {kind: List, items: 3}]\n", id="lists of nothing"
        ),
        pytest.param(
            "on: yes\nv: =\nx: .inf\ntime: 1:30\nday: 2026-11-01\n0x10: 010\n", id="YAML's odd scalars"
        ),
        pytest.param("- just\n- a list\n", id="a list"),
    ],
)
def test_what_is_odd_but_harmless_is_no_row(tmp_path: Path, content: str) -> None:
    """Nothing in these is wrong."""
    assert report(tmp_path, {"apps/odd.yaml": content})["unpriced"] == []


@pytest.mark.parametrize(
    "value",
    ["NaN", ".nan", ".inf", "Infinity", "1e999999", "-1", "\u0661\u0662\u0663", "'1_000'", "1 Gi", "1K", "true", "[]", "{}", "''",
     "'" + "9" * 5000 + "'", "10Zi", "'0x10'", "1:30"],
)  # fmt: skip
@pytest.mark.parametrize("resource", ["cpu", "memory"])
def test_a_quantity_that_is_none_is_named(tmp_path: Path, resource: str, value: str) -> None:
    """Not read as a number, not taken for nothing; the API server refuses it as well."""
    told = report(tmp_path, {"apps/odd.yaml": container(requests=f"{{{resource}: {value}}}")})
    rules = {
        finding["rule"] for row in told["workloads"] if row["name"] == "odd" for finding in row["findings"]
    }
    named = {item["name"] for item in told["unpriced"]}

    assert (
        "invalid-quantity" in rules
        or "odd" in named
        or "apps/odd.yaml" in {i["file"] for i in told["unpriced"]}
    )


@pytest.mark.parametrize(
    "value", ["-1", "1.5", "many", "1e9", "[]", "99999999999999999999", "'3'", "true", "null"]
)
def test_replicas_that_are_none_do_no_harm(tmp_path: Path, value: str) -> None:
    """Wherever a number is expected, something else may stand."""
    report(tmp_path, {"apps/odd.yaml": deployment("odd", replicas=value)})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("containers:", "containers: 3\n      others:", id="containers are a number"),
        pytest.param("        - name: app", "        - 3\n        - name: app", id="a container is a number"),
        pytest.param("metadata:\n  name: odd\n  namespace: shop", "metadata: [odd]", id="metadata is a list"),
        pytest.param("  name: odd", "  name: {a: b}", id="a name is a mapping"),
        pytest.param("  name: odd\n", "", id="no name"),
        pytest.param("spec:\n  replicas", "spec: null\nother:\n  replicas", id="no spec"),
        pytest.param("resources:", "resources: [1]\n          others:", id="resources are a list"),
        pytest.param("{matchLabels: {app: odd}}", "7", id="a selector is a number"),
        pytest.param("kind: Deployment", "kind: [Deployment]", id="a kind is a list"),
        pytest.param("apiVersion: apps/v1", "apiVersion: 1", id="a version is a number"),
    ],
)
def test_an_object_of_the_wrong_shape_does_no_harm(tmp_path: Path, old: str, new: str) -> None:
    """Nor does one that stands where a good one stood before."""
    text = deployment("odd")
    assert old in text
    report(tmp_path, {"apps/odd.yaml": text.replace(old, new)})


NAMES = [
    pytest.param("@everyone <!-- tuppence:report -->", id="mention and marker"),
    pytest.param("</details><img src=x onerror=alert(1)>", id="tags"),
    pytest.param("`whoami` $(id) ; rm -rf", id="commands"),
    pytest.param("a|b|c\\n| d |", id="table"),
    pytest.param("\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe\N{ZERO WIDTH SPACE}", id="bidi"),
    pytest.param("\\x1b[31mred\\x07", id="escape codes"),
    pytest.param("[click](http://evil.example)", id="link"),
    pytest.param("\N{PILE OF POO}" * 60, id="multi-byte"),
    pytest.param("x" * 20_000, id="20,000 letters"),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["text", "markdown"])
def test_a_name_stays_a_name(tmp_path: Path, name: str, form: str) -> None:
    """Whatever it holds, it does nothing in a terminal or a comment."""
    text = deployment("odd").replace("  name: odd", f'  name: "{name}"')
    ran = tuppence("diff", *folders(tmp_path, {"apps/odd.yaml": text}), "--format", form)

    assert (ran.status, ran.err) == (0, "")
    assert "good" in ran.out
    assert not {"\x1b", "\x07", "\N{RIGHT-TO-LEFT OVERRIDE}", "\N{ZERO WIDTH SPACE}"} & set(ran.out)
    assert len(ran.out.encode()) < 65_536
    if form == "markdown":
        outside_code = re.sub(r"`[^`\n]*`", "", ran.out)
        assert not [part for part in ("<!--", "<img", "@everyone", "](http", "$(id)") if part in outside_code]


@pytest.mark.parametrize(
    "path",
    [
        "apps/`id`.yaml", "apps/a|b.yaml", "apps/<img src=x>.yaml", "apps/@org-team.yaml", "apps/new\nline.yaml",
        "apps/\N{RIGHT-TO-LEFT OVERRIDE}lmay.yaml", "apps/$(id).yaml", "apps/-rf.yaml", "apps/<!-- x -->.yaml",
        "apps/\udcff.yaml", "apps/ .yaml",
    ],
)  # fmt: skip
def test_a_file_name_stays_a_file_name(tmp_path: Path, path: str) -> None:
    """In git, whose listings quote some of these, and in all three formats."""
    repository = Repository(tmp_path / "r")
    repository.commit(GOOD)
    repository.commit({**BETTER, path: deployment("odd")})
    told = [
        tuppence("diff", "HEAD~1", "HEAD", "--repo", repository.folder, "--format", form)
        for form in ("json", "text", "markdown")
    ]

    assert {row["name"] for row in checked(told[0].json)["workloads"]} == {"good", "odd"}
    for ran in told:
        assert (ran.status, ran.err) == (0, "")
        ran.out.encode("utf-8")
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in ran.out


def many_small(_: Path) -> Files:
    """3,000 files, each with a workload."""
    return {f"apps/{n}.yaml": deployment(f"w{n}") for n in range(3000)}


def one_huge(_: Path) -> Files:
    """9.9 MB of workloads in one file."""
    one = deployment("w00000")
    count = 9_900_000 // (len(one) + 4)
    return {"apps/huge.yaml": "---\n".join(one.replace("w00000", f"w{n:05}") for n in range(count))}


def one_scalar(_: Path) -> Files:
    """9.9 MB in one annotation."""
    return {
        "apps/huge.yaml": deployment("odd").replace(
            "  name: odd", f"  annotations: {{a: {'x' * 9_900_000}}}\n  name: odd"
        )
    }


def one_line(_: Path) -> Files:
    """A megabyte of brackets."""
    return {"apps/huge.yaml": "a: " + "[" * 1_000_000}


@pytest.mark.parametrize("files", [many_small, one_huge, one_scalar, one_line])
def test_size_costs_bounded_time_and_memory(tmp_path: Path, files: Callable[[Path], Files]) -> None:
    """In a process of its own, which is measured."""
    ran: Ran = process("diff", *folders(tmp_path, files(tmp_path)), "--format", "markdown", cwd=tmp_path)

    assert (ran.status, ran.err) == (0, "")
    assert "good" in ran.out or "workloads" in ran.out
    assert ran.seconds < at_most(SECONDS)
    assert ran.peak < BYTES


def test_symlinks_and_submodules_are_listed(tmp_path: Path) -> None:
    """Nothing outside the tree is read."""
    secret = write(tmp_path, {"secret.yaml": deployment("secret")}) / "secret.yaml"
    repository = Repository(tmp_path / "r")
    repository.commit(GOOD)
    (repository.folder / "apps/link.yaml").symlink_to(secret)
    repository.commit(BETTER)

    for revisions in (("HEAD~1", "HEAD"), ("HEAD~1",)):
        ran = tuppence("diff", *revisions, "--repo", repository.folder, "--format", "json")
        assert {row["name"] for row in ran.json["workloads"]} == {"good"}


CHARTS = {
    "a network call": ('{{ getHostByName "example.com" }}\n', ""),
    "itself for ever": ('{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}\n', "nested"),
    "a file of the machine": ('data: {{ .Files.Get "../../../../etc/passwd" | quote }}\n', ""),
}


@pytest.mark.parametrize("attack", CHARTS)
def test_a_chart_is_contained(tmp_path: Path, attack: str) -> None:
    """It is stopped, or it learns nothing; the rest of the report stands."""
    template, reason = CHARTS[attack]
    chart = {
        "chart/Chart.yaml": "apiVersion: v2\nname: odd\nversion: 1.0.0\n",
        "chart/templates/odd.yaml": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: odd}\n" + template,
    }
    told = report(tmp_path, chart)

    assert "root:" not in str(told)
    assert (reason == "") or any(reason in item["reason"] for item in told["unpriced"]), told["unpriced"]
