"""What `deploy/` grants and starts is what the product needs, no more and no less."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

from bot.adapters import github_app, kubernetes_labels, kubernetes_live
from bot.cost_commands import CostQuestion, parse
from bot.entrypoints.github_readings import READERS
from bot.entrypoints.slack_listener import COMMANDS, EVENTS
from bot.manifests import documents
from tests.test_packaging import pins

DEPLOY = Path(__file__).parent.parent / "deploy"


def test_the_read_role_lists_exactly_what_is_read() -> None:
    """A missing grant would be a gap in every report, a further one a risk for nothing."""
    [role] = documents.read((DEPLOY / "rbac-read.yaml").read_bytes()).documents
    granted = {
        (group, resource, verb)
        for rule in role.body["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    read = {(kind.group, kind.plural) for kind in kubernetes_live._KINDS} | {("", "nodes"), ("", "pods")}
    labelled = (kubernetes_labels.NAMESPACES, kubernetes_labels.PODS, *kubernetes_labels.WORKLOADS.values())
    read |= {(resource.group, resource.plural) for resource in labelled}

    assert {(*place, "list") for place in read} == granted


def test_the_github_app_has_exactly_the_permissions_that_tokens_ask_for() -> None:
    """Beside `issues: read`, without which GitHub refuses a manifest that subscribes to `issue_comment`."""
    manifest = json.loads((DEPLOY / "github-app.json").read_bytes())
    asked = [
        permission
        for name, value in vars(github_app).items()
        if name.startswith(("READ_", "WRITE_"))
        for permission in value.items()
    ]
    least = {name: max(level for each, level in asked if each == name) for name, _ in asked}

    assert manifest["default_permissions"] == {**least, "issues": "read"}


def test_the_github_app_subscribes_to_exactly_the_events_that_are_read() -> None:
    """GitHub sends an App its installations' events unasked, and takes no subscription to them."""
    manifest = json.loads((DEPLOY / "github-app.json").read_bytes())
    unasked = {"installation", "installation_repositories"}

    assert {*manifest["default_events"], *unasked} == set(READERS)


def test_the_slack_app_declares_exactly_what_the_bot_takes() -> None:
    """Its commands, its events, and one address for all of them; whole scopes are held against use elsewhere."""
    [manifest] = documents.read((DEPLOY / "slack-app.yaml").read_bytes()).documents
    features, settings = manifest.body["features"], manifest.body["settings"]
    assert tuple(each["command"] for each in features["slash_commands"]) == COMMANDS
    assert tuple(settings["event_subscriptions"]["bot_events"]) == EVENTS
    urls = {
        *(each["url"] for each in features["slash_commands"]),
        settings["event_subscriptions"]["request_url"],
        settings["interactivity"]["request_url"],
    }
    assert urls == {"https://tuppence.example.com/slack/events"}
    assert settings["interactivity"]["is_enabled"] is True
    assert features["app_home"]["home_tab_enabled"] is True
    example = features["slash_commands"][0]["usage_hint"]
    assert isinstance(parse(example), CostQuestion)


def test_the_guides_commands_make_a_manifest_for_each_way_to_be_reached() -> None:
    """By HTTP at one's own host, or by Socket Mode with no address at all and nothing else changed."""
    guide = (DEPLOY.parent / "docs" / "slack-app.md").read_text()
    commands = re.findall(r"^sed .*slack-app\.yaml$", guide, re.MULTILINE)
    made = [
        documents.read(
            subprocess.run(shlex.split(command), cwd=DEPLOY.parent, capture_output=True, check=True).stdout
        )
        for command in commands
    ]
    [http], [socket] = (read.documents for read in made)
    told = json.dumps(http.body)
    assert (told.count("https://YOUR-HOST/slack/events"), "example.com" in told) == (3, False)
    plain = json.loads(told)
    plain["settings"]["socket_mode_enabled"] = True
    del plain["features"]["slash_commands"][0]["url"]
    for part in ("event_subscriptions", "interactivity"):
        del plain["settings"][part]["request_url"]
    assert json.loads(json.dumps(socket.body)) == plain


def test_the_image_holds_the_versions_that_were_tested() -> None:
    """`make lock` mends it."""
    assert pins("requirements-image.lock").items() <= pins("requirements-dev.lock").items()
    assert "helm-python-sdk" in pins("requirements-image.lock")
    assert "psycopg-binary" in pins("requirements.lock")


def test_the_image_is_built_from_locks_and_runs_as_nobody() -> None:
    """Every library by its hash, every file that is copied let in, and a user by number."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    installs = [part for part in re.split(r"\n|&&|;", text) if "pip install" in part]
    assert installs
    assert all("--require-hashes" in part or part.split()[-1] == "." for part in installs)
    assert re.findall(r"^USER (.+)$", text, re.MULTILINE) == ["10001:10001"]

    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {
        name
        for words in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
        for name in words.split()
    }
    assert copied == let_in
    assert all((DEPLOY.parent / name).exists() for name in copied)
