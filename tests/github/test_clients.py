"""What PyGithub, git and plain requests see of the fake."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import requests
from github import GithubException

from tests.github.client import FILES, SECONDS, Shop
from tests.github.service import GitHub, github


@pytest.fixture
def shop(hub: GitHub) -> Shop:
    """A repository with the app on it and one pull request."""
    return Shop(hub)


def test_pygithub_finds_its_installation_and_the_pull_request(shop: Shop) -> None:
    """JSON web token, installation, token and a first read work unchanged."""
    with shop.integration() as integration:
        assert integration.get_app().slug == "tuppence"
        assert integration.get_repo_installation("acme", "shop").id == shop.installation.id
    pull = shop.client().get_repo("acme/shop").get_pull(1)
    assert (pull.head.sha, pull.user.login, pull.changed_files) == (shop.pull.head_sha, "author", 1)
    assert [file.filename for file in pull.get_files()] == ["apps/api.yaml"]


def test_a_token_has_the_new_long_form(shop: Shop) -> None:
    """About 520 characters, two dots, the app's id in front."""
    token = shop.token()
    assert token.startswith(f"ghs_{shop.hub.app_id}_")
    assert token.count(".") == 2
    assert 500 < len(token) < 560


def test_whether_it_merges_is_known_at_the_second_read(shop: Shop) -> None:
    """The merge ref of before stays until then, as GitHub computes it when it is asked."""
    repo = shop.client().get_repo("acme/shop")
    assert repo.get_pull(1).mergeable is None
    with pytest.raises(KeyError):
        shop.repository.git.sha("refs/pull/1/merge")
    pull = repo.get_pull(1)
    assert pull.mergeable is True
    assert shop.repository.git.sha("refs/pull/1/merge") == pull.merge_commit_sha
    shop.hub.people.push(shop.repository, {"apps/api.yaml": "kind: Job\n"})
    assert repo.get_pull(1).mergeable is None
    assert repo.get_pull(1).mergeable is False


def test_a_comment_is_written_by_the_bot_and_edited_in_place(shop: Shop) -> None:
    """Create, edit and delete leave one line each in the journal."""
    issue = shop.client().get_repo("acme/shop").get_issue(1)
    made = issue.create_comment("first")
    assert (made.user.login, made.user.type) == ("tuppence[bot]", "Bot")
    made.edit("second")
    assert [it.body for it in shop.hub.comments(shop.repository, shop.pull)] == ["second"]
    made.delete()
    kinds = [effect.kind for effect in shop.hub.journal.effects if effect.kind.startswith("comment")]
    assert kinds == ["comment.created", "comment.edited", "comment.deleted"]


def test_lists_come_in_pages_with_links(shop: Shop) -> None:
    """150 comments are read in two requests of 100."""
    for number in range(150):
        shop.hub.people.comment(shop.repository, shop.pull, f"comment {number}", author="ann")
    issue = shop.client().get_repo("acme/shop").get_issue(1)
    assert [it.body for it in issue.get_comments()] == [f"comment {number}" for number in range(150)]
    assert shop.hub.journal.calls["GET /repos/{owner}/{repo}/issues/{issue_number}/comments"] == 2


def test_the_list_of_files_ends_at_3000_and_does_not_say_so(shop: Shop) -> None:
    """`changed_files` is how a client can tell."""
    many = {f"apps/{number}.yaml": f"kind: Job # {number}\n" for number in range(3001)}
    pull = shop.hub.people.open_pull(shop.repository, many)
    seen = shop.client().get_repo("acme/shop").get_pull(pull.number)
    assert (seen.changed_files, sum(1 for _ in seen.get_files())) == (3001, 3000)


def test_check_runs_of_a_name_add_up_and_the_latest_is_shown(shop: Shop) -> None:
    """GitHub makes a second run as readily as the first; only the list hides it."""
    repo, sha = shop.client().get_repo("acme/shop"), shop.pull.head_sha
    first = repo.create_check_run("cost", sha, status="in_progress")
    line = {
        "path": "apps/api.yaml",
        "start_line": 3,
        "end_line": 3,
        "annotation_level": "notice",
        "message": "4",
    }
    for _batch in range(2):
        output = {"title": "t", "summary": "s", "annotations": [line] * 50}
        first.edit(status="completed", conclusion="success", output=output)
    assert first.output.annotations_count == 100
    repo.create_check_run("cost", sha, status="queued")
    assert len(shop.hub.check_runs(shop.repository, sha=sha, name="cost")) == 2
    assert [run.status for run in repo.get_commit(sha).get_check_runs()] == ["queued"]


def test_a_suggestion_needs_a_line_of_the_diff(shop: Shop) -> None:
    """Line 3 changed; line 3,000 is not there."""
    repo = shop.client().get_repo("acme/shop")
    pull, commit = repo.get_pull(1), repo.get_commit(shop.pull.head_sha)
    body = "```suggestion\n  replicas: 3\n```"
    made = pull.create_review_comment(body, commit, "apps/api.yaml", line=3, side="RIGHT")
    assert "+  replicas: 4" in made.diff_hunk
    with pytest.raises(GithubException) as refusal:
        pull.create_review_comment(body, commit, "apps/api.yaml", line=3000, side="RIGHT")
    assert refusal.value.status == 422


def test_a_review_with_one_bad_comment_makes_nothing(shop: Shop) -> None:
    """A review is whole or not at all."""
    comments = [{"path": path, "line": 3, "body": "b"} for path in ("apps/api.yaml", "none.yaml")]
    answer = shop.ask(
        "POST", "/repos/acme/shop/pulls/1/reviews", {"event": "COMMENT", "body": "x", "comments": comments}
    )
    assert answer.status_code == 422
    assert shop.hub.journal.of("review_comment.created") == []


def test_files_and_folders_are_read_at_a_revision(shop: Shop) -> None:
    """A file of the base, a folder, and what is not there."""
    repo = shop.client().get_repo("acme/shop")
    file = repo.get_contents("apps/api.yaml", ref="main")
    assert not isinstance(file, list)
    assert file.decoded_content.decode() == FILES["apps/api.yaml"]
    folder = repo.get_contents("")
    assert isinstance(folder, list)
    assert sorted(entry.path for entry in folder) == ["README.md", "apps"]
    with pytest.raises(GithubException, match="404"):
        repo.get_contents("none.yaml")
    compared = repo.compare("main", shop.pull.head_sha)
    assert (compared.status, compared.merge_base_commit.sha) == ("ahead", shop.pull.base_sha)


def test_teams_and_roles_say_who_may_approve(shop: Shop) -> None:
    """An invitation is no membership; triage reads as read."""
    shop.hub.people.team("acme", "sre", "ann", pending=("bob",))
    shop.repository.roles |= {"ann": "maintain", "bob": "triage"}
    states = [shop.ask("GET", f"/orgs/acme/teams/sre/memberships/{who}") for who in ("ann", "bob", "author")]
    assert [it.json().get("state") for it in states] == ["active", "pending", None]
    repo = shop.client().get_repo("acme/shop")
    assert repo.get_collaborator_permission("ann") == "write"
    assert repo.get_collaborator_role_name("bob") == "triage"
    assert repo.get_collaborator_permission("author") == "none"


def test_a_fork_that_was_deleted_leaves_a_null(shop: Shop) -> None:
    """Its head stays readable as refs/pull/N/head."""
    fork = shop.hub.people.fork(shop.repository, "stranger")
    pull = shop.hub.people.open_pull(shop.repository, {"x.yaml": "a: 1\n"}, author="stranger", fork=fork)
    shop.hub.people.delete_fork(fork)
    answer = shop.ask("GET", f"/repos/acme/shop/pulls/{pull.number}").json()
    assert answer["head"]["repo"] is None
    assert shop.repository.git.sha(f"refs/pull/{pull.number}/head") == pull.head_sha


def test_git_clones_with_a_token_and_not_without(shop: Shop, tmp_path: Path) -> None:
    """A blob-filtered bare clone fetches a pull request by its sha."""
    url = f"{shop.hub.clone_url}/acme/shop.git"

    def git(*arguments: str, token: str | None = None) -> int:
        environment = {"PATH": "/usr/bin:/bin", "GIT_TERMINAL_PROMPT": "0", "HOME": str(tmp_path)}
        if token:
            environment |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"credential.{shop.hub.clone_url}.helper",
                "GIT_CONFIG_VALUE_0": f"!printf 'username=x-access-token\\npassword={token}\\n' #",
            }
        return subprocess.run(
            ["git", *arguments], env=environment, capture_output=True, check=False, cwd=tmp_path
        ).returncode

    assert git("clone", "--quiet", "--bare", url) != 0
    token = shop.token()
    assert git("clone", "--quiet", "--bare", "--filter=blob:none", url, "clone", token=token) == 0
    assert git("-C", "clone", "fetch", "--quiet", "origin", shop.pull.head_sha, token=token) == 0
    assert git("-C", "clone", "cat-file", "-e", shop.pull.head_sha) == 0
    assert git("-C", "clone", "push", "--quiet", "origin", "main:other", token=token) != 0
    assert shop.hub.journal.calls["GIT fetch"] >= 2


def test_a_repository_that_was_renamed_is_found_under_its_old_name(shop: Shop) -> None:
    """By a redirect, which a write does not follow by itself."""
    shop.hub.people.rename(shop.repository, "store")
    answer = shop.ask("GET", "/repos/acme/shop/pulls?state=open")
    assert answer.status_code == 301
    there = f"{shop.hub.api_url}/repositories/{shop.repository.id}"
    assert answer.headers["Location"] == f"{there}/pulls?state=open"
    written = shop.ask("POST", "/repos/acme/shop/issues/1/comments", {"body": "x"})
    assert (written.status_code, written.json()["url"]) == (307, f"{there}/issues/1/comments")
    assert shop.client().get_repo("acme/shop").get_pull(1).base.repo.full_name == "acme/store"
    refs = f"{shop.hub.clone_url}/acme/shop.git/info/refs?service=git-upload-pack"
    assert requests.get(refs, auth=("x-access-token", shop.token()), timeout=SECONDS).ok


def test_graphql_minimises_a_comment_of_the_bots_own(shop: Shop) -> None:
    """PyGithub's own method works; the answer of the mutation is GitHub's."""
    comment = shop.client().get_repo("acme/shop").get_issue(1).create_comment("old")
    assert comment.minimize("OUTDATED")
    (kept,) = shop.hub.comments(shop.repository, shop.pull)
    assert kept.minimised == "outdated"


def test_resolving_a_thread_needs_write_access_to_contents(shop: Shop) -> None:
    """pull_requests:write is not enough, and the refusal is inside a 200."""
    repo = shop.client().get_repo("acme/shop")
    commit = repo.get_commit(shop.pull.head_sha)
    repo.get_pull(1).create_review_comment("b", commit, "apps/api.yaml", line=3)
    query = (
        'query { repository(owner: "acme", name: "shop") { pullRequest(number: 1) {'
        " reviewThreads(first: 100) { nodes { id isResolved comments(first: 1) { nodes { fullDatabaseId } } } } } } }"
    )
    data = shop.ask("POST", "/graphql", {"query": query}).json()["data"]
    (thread,) = data["repository"]["pullRequest"]["reviewThreads"]["nodes"]
    resolve = "mutation($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { isResolved } } }"
    body = {"query": resolve, "variables": {"id": thread["id"]}}
    answer = shop.ask("POST", "/graphql", body)
    assert (answer.status_code, answer.json()["errors"][0]["type"]) == (200, "FORBIDDEN")
    shop.installation.permissions["contents"] = shop.hub.world.job_needs["contents"] = "write"
    answer = shop.ask("POST", "/graphql", body, token=shop.token({"contents": "write"}))
    assert answer.json()["data"]["resolveReviewThread"]["thread"]["isResolved"]


def test_the_same_answer_again_is_a_304_and_costs_nothing(shop: Shop) -> None:
    """By ETag."""
    token = shop.token()
    tag = shop.ask("GET", "/repos/acme/shop", token=token).headers["ETag"]
    again = shop.ask("GET", "/repos/acme/shop", token=token, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert shop.ask("GET", "/rate_limit", token=token).json()["rate"]["used"] == 1


def test_an_enterprise_server_has_its_api_below_a_path(tmp_path: Path) -> None:
    """`/api/v3`, and GraphQL beside it."""
    with github(tmp_path, prefix="/api/v3") as hub:
        shop = Shop(hub)
        comment = shop.client().get_repo("acme/shop").get_issue(1).create_comment("old")
        assert comment.minimize()
        assert hub.api_url.endswith("/api/v3")
    hub.assert_clean()
