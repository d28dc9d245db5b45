"""What people do with pull requests: each action changes the world and tells the app, as the service would."""

from __future__ import annotations

import re
from datetime import datetime

from tests.github import events, pushes
from tests.github.git_store import Files, MergeConflictError
from tests.github.hooks import Delivery
from tests.github.model import Account, CheckRun, Comment, Pull, Repository, ReviewComment, now
from tests.github.places import Places


class People(Places):
    """Actions of people on pull requests; logins are made on first mention."""

    def open_pull(
        self,
        repository: Repository,
        files: Files | None,
        *,
        author: str = "author",
        title: str = "Change",
        body: str | None = "Why",
        base: str = "main",
        branch: str | None = None,
        fork: Repository | None = None,
        draft: bool = False,
    ) -> Pull:
        """A pull request with one commit on a branch of its own, of this repository or of a fork.

        Without `files` the branch is there already.
        """
        world, head_repository = self._world, fork or repository
        with world.lock:
            number = len(repository.pulls) + 1
            base_sha = repository.git.sha(f"refs/heads/{base}")
            name = branch or f"change-{number}"
            head_repository.git.take(repository.git, base_sha, "refs/internal/base")
            if files is not None:
                head_repository.git.commit(name, files, title, parent=base_sha)
            head_sha = head_repository.git.sha(f"refs/heads/{name}")
            moment = now()
            pull = Pull(
                next(world.ids), number, self.person(author), title, body, head_repository, name, head_sha,
                base, base_sha, moment, moment, draft=draft, unknown_reads=world.unknown_reads,
            )  # fmt: skip
            next(world.ids)  # of the issue that a pull request also is
            pushes.opened(world, self._hooks, repository, pull)
        return pull

    def push(
        self,
        repository: Repository,
        files: Files,
        *,
        branch: str = "main",
        author: str = "author",
        force_from: str | None = None,
        message: str = "One more commit",
    ) -> str:
        """A commit on a branch; with `force_from` it follows that commit and the branch's own are lost."""
        world, sender = self._world, self.person(author)
        with world.lock:
            before = repository.git.sha(f"refs/heads/{branch}")
            after = repository.git.commit(branch, files, message, parent=force_from or before)
            pushes.pushed(world, self._hooks, repository, branch, before, after, sender)
        return after

    def commit_suggestion(
        self, repository: Repository, pull: Pull, comment: ReviewComment, *, by: str = "author"
    ) -> str:
        """Press *Commit suggestion*: the block's text instead of the lines that the comment is on."""
        fenced = re.search(r"^(`{3,})suggestion\n(.*?)\n\1$", comment.body, re.MULTILINE | re.DOTALL)
        assert fenced is not None, "there is nothing to commit in the comment"
        old, lines = (
            repository.git.git("cat-file", "blob", f"{commit}:{comment.path}").decode().split("\n")
            for commit in (comment.commit, pull.head_sha)
        )
        first = (comment.start_line or comment.line) - 1
        assert lines[first : comment.line] == old[first : comment.line], "the comment is outdated"
        lines[first : comment.line] = fenced[2].split("\n")
        files = {comment.path: "\n".join(lines)}
        return self.push(repository, files, branch=pull.head_ref, author=by, message="Apply suggestion")

    def _tell(self, repository: Repository, pull: Pull, action: str, sender: Account, **more: object) -> None:
        events.pull_request(self._world, self._hooks, repository, pull, action, sender, **more)

    def _change(self, repository: Repository, pull: Pull, action: str, who: str | None) -> None:
        pull.updated = now()
        self._tell(repository, pull, action, self.person(who) if who else pull.author)

    def close(self, repository: Repository, pull: Pull, *, by: str | None = None) -> None:
        """Closed without merging."""
        with self._world.lock:
            pull.state, pull.closed_at = "closed", now()
            self._change(repository, pull, "closed", by)

    def reopen(self, repository: Repository, pull: Pull, *, by: str | None = None) -> None:
        """Open again."""
        with self._world.lock:
            pull.state, pull.closed_at = "open", None
            self._change(repository, pull, "reopened", by)

    def ready(self, repository: Repository, pull: Pull) -> None:
        """No longer a draft."""
        with self._world.lock:
            pull.draft = False
            self._change(repository, pull, "ready_for_review", None)

    def draft(self, repository: Repository, pull: Pull) -> None:
        """A draft again."""
        with self._world.lock:
            pull.draft = True
            self._change(repository, pull, "converted_to_draft", None)

    def merge(
        self, repository: Repository, pull: Pull, *, by: str = "merger", at: datetime | None = None
    ) -> str:
        """Merged into its base, now or as if it had been `at` another time; the sha of the merge."""
        world, merger = self._world, self.person(by)
        with world.lock:
            tip = repository.git.sha(f"refs/heads/{pull.base_ref}")
            try:
                sha = repository.git.merge(tip, pull.head_sha, f"Merge pull request #{pull.number}")
            except MergeConflictError:
                raise ValueError(f"pull request {pull.number} does not merge") from None
            repository.git.set_ref(f"refs/heads/{pull.base_ref}", sha)
            pull.merge_sha, pull.merged_by = sha, merger
            pull.state, pull.closed_at = "closed", at or now()
            pull.merged_at = pull.closed_at
            self._change(repository, pull, "closed", by)
            events.push(world, self._hooks, repository, pull.base_ref, tip, sha, merger)
        return sha

    def change_base(self, repository: Repository, pull: Pull, base: str) -> None:
        """Another base branch: `edited`, with what it was."""
        with self._world.lock:
            changes = {"base": {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_sha}}}
            pull.base_ref, pull.base_sha = base, repository.git.sha(f"refs/heads/{base}")
            pull.updated = now()
            pushes.unsettle(self._world, pull)
            self._tell(repository, pull, "edited", pull.author, changes=changes)

    # Words and buttons

    def comment(self, repository: Repository, pull: Pull, body: str, *, author: str) -> Comment:
        """A person's comment."""
        world, who, moment = self._world, self.person(author), now()
        with world.lock:
            made = Comment(
                next(world.ids), pull.number, who, body, by_app=False, created=moment, updated=moment
            )
            repository.comments[made.id] = made
            events.issue_comment(world, self._hooks, repository, made, "created", who)
        return made

    def edit_comment(self, repository: Repository, one: Comment, body: str, *, by: str | None = None) -> None:
        """New words, of the author or of someone who may."""
        with self._world.lock:
            changes = {"body": {"from": one.body}}
            one.body, one.updated = body, now()
            sender = self.person(by) if by else one.author
            events.issue_comment(self._world, self._hooks, repository, one, "edited", sender, changes=changes)

    def delete_comment(self, repository: Repository, one: Comment, *, by: str) -> None:
        """Gone."""
        with self._world.lock:
            del repository.comments[one.id]
            events.issue_comment(self._world, self._hooks, repository, one, "deleted", self.person(by))

    def rerun(self, repository: Repository, run: CheckRun, *, by: str) -> Delivery | None:
        """*Re-run* beside a check."""
        with self._world.lock:
            return events.check_run(self._world, self._hooks, repository, run, "rerequested", self.person(by))

    def press(self, repository: Repository, run: CheckRun, identifier: str, *, by: str) -> Delivery | None:
        """One of the buttons that the check run has."""
        with self._world.lock:
            if identifier not in {action["identifier"] for action in run.actions}:
                raise ValueError(f"check run {run.id} has no button {identifier}")
            sender = self.person(by)
            action = {"identifier": identifier}
            return events.check_run(
                self._world, self._hooks, repository, run, "requested_action", sender, requested_action=action
            )
