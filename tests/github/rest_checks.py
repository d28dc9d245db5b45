"""Check runs, check suites and commit statuses."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from tests.github import events, shapes_checks
from tests.github.contract_data import Json
from tests.github.model import CheckRun, CheckSuite, Repository, Status, World, now
from tests.github.routing import Answer, Call, Page, RefusedError, invalid, not_found, route

_REPO = "/repos/{owner}/{repo}"
_RUN = f"{_REPO}/check-runs/{{check_run_id}}"
RUNS_OF_A_NAME = 1000
_KILOBYTES_64 = 64 * 1024


def suite_of(world: World, repository: Repository, sha: str, branch: str | None) -> CheckSuite:
    """The app's check suite of a commit; GitHub makes one when a commit is pushed."""
    for suite in repository.check_suites.values():
        if suite.sha == sha:
            return suite
    suite = CheckSuite(next(world.ids), world.app.id, sha, branch, now())
    repository.check_suites[suite.id] = suite
    return suite


@route(f"POST {_REPO}/check-runs", "checks:write")
def create_check_run(call: Call) -> Json:
    """A new run; one of the same name on the same commit hides the earlier, as on GitHub."""
    world, repository, body = call.world, call.repository, call.body
    sha = _commit(repository, body["head_sha"])
    branch = next((name for name, tip in repository.git.branches().items() if tip == sha), None)
    suite = suite_of(world, repository, sha, branch)
    name = body["name"]
    if sum(run.name == name for run in repository.check_runs.values()) >= RUNS_OF_A_NAME:
        raise RefusedError(422, f"more than {RUNS_OF_A_NAME} check runs of one name")
    run = CheckRun(
        next(world.ids), suite.id, world.app.id, name, sha, status="queued", conclusion=None,
        started=now(), completed=None,
    )  # fmt: skip
    _apply(call, run)
    repository.check_runs[run.id] = run
    call.note("check_run.created", **_noted(run))
    events.check_run(world, call.hooks, repository, run, "created", world.app.bot)
    if run.status == "completed":
        events.check_run(world, call.hooks, repository, run, "completed", world.app.bot)
    return shapes_checks.check_run(world, repository, run)


@route(f"PATCH {_RUN}", "checks:write")
def update_check_run(call: Call) -> Json:
    """Change a run; annotations add up."""
    world, repository = call.world, call.repository
    run = call.named(repository.check_runs, "check_run_id")
    was = run.status
    _apply(call, run)
    call.note("check_run.updated", **_noted(run))
    if run.status == "completed" != was:
        events.check_run(world, call.hooks, repository, run, "completed", world.app.bot)
    return shapes_checks.check_run(world, repository, run)


def _noted(run: CheckRun) -> dict[str, object]:
    return {
        "id": run.id,
        "sha": run.sha,
        "name": run.name,
        "status": run.status,
        "conclusion": run.conclusion,
        "annotations": len(run.annotations),
    }


def _apply(call: Call, run: CheckRun) -> None:
    """Check everything that a body asks for, then do it."""
    body = call.body
    output = body.get("output", {})
    annotations = output.get("annotations", [])
    for one in annotations:
        _check_annotation(call, run.sha, one)
    if body.get("status") == "completed" and "conclusion" not in body:
        raise invalid("CheckRun", "conclusion", "conclusion is required for a completed check run")
    run.name = body.get("name", run.name)
    run.external_id = body.get("external_id", run.external_id)
    run.details_url = body.get("details_url", run.details_url)
    run.status = body.get("status", run.status)
    if "started_at" in body:
        run.started = datetime.fromisoformat(body["started_at"])
    if "conclusion" in body:
        run.status, run.conclusion = "completed", body["conclusion"]
        run.completed = datetime.fromisoformat(body["completed_at"]) if "completed_at" in body else now()
    elif body.get("status") in ("queued", "in_progress"):
        run.conclusion, run.completed = None, None
    run.actions = body.get("actions", run.actions)
    run.output.update({part: output[part] for part in ("title", "summary", "text") if part in output})
    run.annotations.extend(annotations)


def _check_annotation(call: Call, sha: str, one: dict[str, Json]) -> None:
    start, end = one["start_line"], one["end_line"]
    if not 1 <= start <= end:
        raise invalid("CheckRun", "annotations", "start_line must not be after end_line")
    if start != end and ("start_column" in one or "end_column" in one):
        raise invalid("CheckRun", "annotations", "columns need start_line and end_line to be the same")
    if len(one.get("title", "")) > 255:
        raise invalid("CheckRun", "annotations", "title is too long (maximum is 255 characters)")
    if any(len(one.get(part, "").encode()) > _KILOBYTES_64 for part in ("message", "raw_details")):
        raise invalid("CheckRun", "annotations", "message or raw_details exceeds 64 KB")
    # GitHub takes an annotation of a line that is not there, and shows it nowhere.
    git, path = call.repository.git, one["path"]
    entries = [entry for entry in git.folder(sha, path) if entry.path == path]
    if not entries or entries[0].kind != "blob":
        call.forbid(f"an annotation is on {path}, which {sha[:7]} does not have")
    elif end > len(git.blob(entries[0].sha).splitlines()):
        call.forbid(f"an annotation is on {path}:{end}, after the file's end in {sha[:7]}")


@route(f"GET {_RUN}", "checks:read")
def get_check_run(call: Call) -> Json:
    """One run."""
    run = call.named(call.repository.check_runs, "check_run_id")
    return shapes_checks.check_run(call.world, call.repository, run)


@route(f"GET {_RUN}/annotations", "checks:read")
def list_annotations(call: Call) -> Page[dict[str, Json]]:
    """Its annotations in the order they came."""
    world, repository = call.world, call.repository
    run = call.named(repository.check_runs, "check_run_id")
    return Page(run.annotations, lambda one: shapes_checks.annotation(world, repository, run, one))


@route(f"POST {_RUN}/rerequest", "checks:write")
def rerequest(call: Call) -> Answer:
    """Ask the app to run it again."""
    run = call.named(call.repository.check_runs, "check_run_id")
    events.check_run(call.world, call.hooks, call.repository, run, "rerequested", call.world.app.bot)
    return Answer({}, 201)


@route(f"GET {_REPO}/commits/{{ref}}/check-runs", "checks:read")
def list_for_ref(call: Call) -> Page[CheckRun]:
    """The runs of a commit."""
    sha = _commit(call.repository, call.path["ref"])
    return _runs(call, (run for run in call.repository.check_runs.values() if run.sha == sha))


@route(f"GET {_REPO}/check-suites/{{check_suite_id}}/check-runs", "checks:read")
def list_for_suite(call: Call) -> Page[CheckRun]:
    """The runs of a suite."""
    suite = call.named(call.repository.check_suites, "check_suite_id")
    return _runs(call, (run for run in call.repository.check_runs.values() if run.suite == suite.id))


def _runs(call: Call, runs: Iterable[CheckRun]) -> Page[CheckRun]:
    """The latest of each name, unless all are asked for."""
    query = call.query
    found = [
        run
        for run in runs
        if query.get("check_name") in (None, run.name)
        and query.get("status") in (None, run.status)
        and query.get("app_id") in (None, str(run.app))
    ]
    if query.get("filter", "latest") == "latest":
        found = list({run.name: run for run in found}.values())
    found.sort(key=lambda run: run.id, reverse=True)
    repository = call.repository
    return Page(found, lambda run: shapes_checks.check_run(call.world, repository, run), "check_runs")


@route(f"GET {_REPO}/check-suites/{{check_suite_id}}", "checks:read")
def get_suite(call: Call) -> Json:
    """One suite."""
    suite = call.named(call.repository.check_suites, "check_suite_id")
    return shapes_checks.check_suite(call.world, call.repository, suite)


@route(f"GET {_REPO}/commits/{{ref}}/check-suites", "checks:read")
def list_suites(call: Call) -> Page[CheckSuite]:
    """The suites of a commit."""
    repository, sha = call.repository, _commit(call.repository, call.path["ref"])
    found = [suite for suite in repository.check_suites.values() if suite.sha == sha]
    return Page(found, lambda it: shapes_checks.check_suite(call.world, repository, it), "check_suites")


@route(f"POST {_REPO}/statuses/{{sha}}", "statuses:write")
def create_status(call: Call) -> Json:
    """A status of a commit."""
    world, repository, body = call.world, call.repository, call.body
    made = Status(
        next(world.ids), _commit(repository, call.path["sha"]), body["state"], body.get("context", "default"),
        body.get("description"), body.get("target_url"), world.app.bot, now(),
    )  # fmt: skip
    if len(made.description or "") > 140:
        raise invalid("Status", "description", "description is too long (maximum is 140 characters)")
    repository.statuses.append(made)
    call.note("status.created", id=made.id, sha=made.sha, context=made.context, state=made.state)
    return shapes_checks.status(world, repository, made)


@route(f"GET {_REPO}/commits/{{ref}}/statuses", "statuses:read")
def list_statuses(call: Call) -> Page[Status]:
    """Newest first."""
    repository, sha = call.repository, _commit(call.repository, call.path["ref"])
    found = [it for it in reversed(repository.statuses) if it.sha == sha]
    return Page(found, lambda it: shapes_checks.status(call.world, repository, it))


def _commit(repository: Repository, revision: str) -> str:
    try:
        return repository.git.sha(revision)
    except KeyError:
        if len(revision) == 40:
            raise RefusedError(422, f"No commit found for SHA: {revision}") from None
        raise not_found() from None
