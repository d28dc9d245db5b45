"""Check runs, check suites and statuses as GitHub writes them in JSON."""

from __future__ import annotations

from urllib.parse import quote

from tests.github.contract_data import Json
from tests.github.model import CheckRun, CheckSuite, Pull, Repository, Status, World
from tests.github.shapes import account, app, node_id, repository, when

_WORST_FIRST = ("failure", "timed_out", "action_required", "cancelled", "success", "neutral", "skipped")


def _pull_minimal(world: World, it: Repository, pull: Pull) -> Json:
    api = f"{world.api_url}/repos/{it.full_name}"
    place = {"id": it.id, "url": api, "name": it.name}
    return {
        "id": pull.id,
        "number": pull.number,
        "url": f"{api}/pulls/{pull.number}",
        "head": {"ref": pull.head_ref, "sha": pull.head_sha, "repo": place},
        "base": {"ref": pull.base_ref, "sha": pull.base_sha, "repo": place},
    }


def pulls_of(world: World, it: Repository, sha: str) -> list[Json]:
    """Open pull requests with that head; GitHub leaves out those that come from a fork."""
    return [
        _pull_minimal(world, it, pull)
        for pull in it.pulls.values()
        if pull.head_sha == sha and pull.head_repository is it and pull.state == "open"
    ]


def check_run(world: World, it: Repository, run: CheckRun) -> Json:
    """`check-run`."""
    url = f"{world.api_url}/repos/{it.full_name}/check-runs/{run.id}"
    web = f"{world.web_url}/{it.full_name}/runs/{run.id}"
    output = {
        **{part: run.output.get(part) for part in ("title", "summary", "text")},
        "annotations_count": len(run.annotations),
        "annotations_url": f"{url}/annotations",
    }
    return {
        "id": run.id,
        "head_sha": run.sha,
        "node_id": node_id("CR", run.id),
        "external_id": run.external_id,
        "url": url,
        "html_url": web,
        "details_url": run.details_url or web,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": when(run.started),
        "completed_at": when(run.completed),
        "output": output,
        "name": run.name,
        "check_suite": {"id": run.suite},
        "app": app(world, world.app),
        "pull_requests": pulls_of(world, it, run.sha),
    }


def annotation(world: World, it: Repository, run: CheckRun, one: Json) -> Json:
    """`check-annotation`."""
    fields = ("path", "start_line", "end_line", "start_column", "end_column", "annotation_level")
    texts = ("title", "message", "raw_details")
    href = f"{world.web_url}/{it.full_name}/blob/{run.sha}/{quote(one['path'])}"
    return {**{name: one.get(name) for name in (*fields, *texts)}, "blob_href": href}


def check_suite(world: World, it: Repository, suite: CheckSuite) -> Json:
    """`check-suite`."""
    url = f"{world.api_url}/repos/{it.full_name}/check-suites/{suite.id}"
    runs = [run for run in it.check_runs.values() if run.suite == suite.id]
    done = bool(runs) and all(run.status == "completed" for run in runs)
    commit = it.git.commit_of(suite.sha)
    return {
        "id": suite.id,
        "node_id": node_id("CS", suite.id),
        "head_branch": suite.branch,
        "head_sha": suite.sha,
        "status": "completed" if done else ("in_progress" if runs else "queued"),
        "conclusion": _conclusion(runs) if done else None,
        "url": url,
        "before": commit.parents[0] if commit.parents else "0" * 40,
        "after": suite.sha,
        "pull_requests": pulls_of(world, it, suite.sha),
        "app": app(world, world.app),
        "repository": repository(world, it),
        "created_at": when(suite.created),
        "updated_at": when(suite.created),
        "head_commit": head_commit(it, suite.sha),
        "latest_check_runs_count": len({run.name for run in runs}),
        "check_runs_url": f"{url}/check-runs",
    }


def _conclusion(runs: list[CheckRun]) -> str:
    """The worst of the runs that count: the latest of each name."""
    latest = {run.name: run.conclusion for run in runs}
    return next(word for word in _WORST_FIRST if word in latest.values())


def head_commit(it: Repository, sha: str) -> Json:
    """`simple-commit`."""
    commit = it.git.commit_of(sha)
    person = {"name": commit.author, "email": commit.email}
    return {
        "id": sha,
        "tree_id": commit.tree,
        "message": commit.message,
        "timestamp": commit.date,
        "author": person,
        "committer": person,
    }


def status(world: World, it: Repository, one: Status) -> Json:
    """`status`."""
    return {
        "url": f"{world.api_url}/repos/{it.full_name}/statuses/{one.sha}",
        "avatar_url": f"{world.web_url}/avatars/{one.creator.id}",
        "id": one.id,
        "node_id": node_id("SC", one.id),
        "state": one.state,
        "description": one.description,
        "target_url": one.target_url,
        "context": one.context,
        "created_at": when(one.created),
        "updated_at": when(one.created),
        "creator": account(world, one.creator),
    }
