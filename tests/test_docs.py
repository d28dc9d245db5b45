"""What the documentation promises is there, and what is there is documented."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from bot.settings_table import SETTINGS
from estimators.rules import RULE_TEXTS, RuleText
from tests import reference

ROOT = reference.ROOT
WRITTEN = [*reference.PAGES, *sorted(ROOT.glob("*.md"))]


def read(path: Path) -> str:
    """A page's text."""
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", reference.PAGES, ids=lambda page: page.name)
def test_generated_parts_are_up_to_date(page: Path) -> None:
    """`make reference` mends it."""
    assert reference.refreshed(read(page)) == read(page)


def test_the_policys_json_schema_is_up_to_date() -> None:
    """`make reference` mends it."""
    assert read(reference.SCHEMA) == reference.schema()
    assert (
        json.loads(reference.schema())["properties"]["guardrails"]["items"]["additionalProperties"] is False
    )


def test_every_command_and_table_has_its_place() -> None:
    """A new command without documentation fails here."""
    wanted = {
        "comment commands",
        "policy",
        "server",
        "settings",
        *(f"command {name}" for name, _ in reference.commands()),
    }
    assert {part for page in reference.PAGES for part in reference.parts(read(page))} >= wanted


@pytest.mark.parametrize("rule", RULE_TEXTS, ids=lambda rule: rule.id)
def test_every_rule_is_explained(rule: RuleText) -> None:
    """A finding names its rule; docs/rules.md says what stands behind it."""
    assert f"`{rule.id}`" in read(ROOT / "docs" / "rules.md")


def test_every_dependency_says_why_it_is_there() -> None:
    """In docs/dependencies.md, at the start of a table's line."""
    project = tomllib.loads(read(ROOT / "pyproject.toml"))
    declared = [
        *project["project"]["dependencies"],
        *(one for extra in project["project"]["optional-dependencies"].values() for one in extra),
        *project["dependency-groups"]["dev"],
    ]
    names = {re.split(r"[^\w.-]", one)[0] for one in declared}
    explained = set(re.findall(r"^\| `([\w.-]+)`", read(ROOT / "docs" / "dependencies.md"), re.MULTILINE))
    assert names <= explained
    assert explained - names <= {"pykustomize", "cffi"}


def test_the_example_environment_names_every_variable_and_no_other() -> None:
    """.env.example, commented out or not."""
    named = re.findall(r"^#?([A-Z][A-Z_<>]+)=", read(ROOT / ".env.example"), re.MULTILINE)
    assert named == [setting.name for setting in SETTINGS]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", read(page), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of the repository, with its anchor."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", read(page), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?://", target):
            continue
        file, _, anchor = target.partition("#")
        linked = page.parent / file if file else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked), target


def test_every_page_is_reached_from_the_index() -> None:
    """A page that nobody links to is a page that nobody reads."""
    index = read(ROOT / "docs" / "index.md")
    assert {page.name for page in reference.PAGES if f"({page.name})" not in index} <= {"index.md"}
