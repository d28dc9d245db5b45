"""One branch of ours on GitHub, which only ever moves forward.

What somebody else has pushed in between makes GitHub refuse the move, however late it comes. A commit is
ours by a seal over its tree, its parents and the commit of the base that it stands on, so that everything
below it is what we built on.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha1
from typing import NamedTuple

from bot.adapters.github_client import GitHubClient, path, take
from bot.errors import GitHubRefused, GitHubUnavailable
from bot.recommendation_ports import Place
from bot.signed_marker import Markers, short_name

_SEAL = re.compile(r"^Tuppence-Seal: ([0-9a-f]{40,64}) ([0-9a-f]{64})$", re.MULTILINE)
_MODES = frozenset({"100644", "100755"})
_TRIES = 3
"""How often a branch is looked at anew because another process moved it between look and write."""
_GONE = frozenset({404, 410})


def endpoint(place: Place, *words: str | int) -> str:
    """The path of something in a repository."""
    return path("repos", place.repository.owner, place.repository.name, *words)


class _Compared(NamedTuple):
    """What a commit has that the base has not: how many commits, and the files that they change."""

    ahead: int
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SealedBranch:
    """One branch of ours."""

    client: GitHubClient
    place: Place
    name: str
    markers: Markers

    def put(self, base_sha: str, files: Mapping[str, bytes], message: str) -> str:
        """Make it differ from `base_sha` in just these files; its newest commit.

        Raises GitHubRefused where somebody else has committed to it.
        """
        wanted = {file: _blob(content) for file, content in files.items()}
        for _ in range(_TRIES):
            tip = self.tip()
            parents = [base_sha]
            if tip:
                compared = self._compared(base_sha, tip)
                if compared.ahead:
                    stands_on = self._must_be_ours(tip)
                    if compared.files == wanted:
                        return tip
                    parents = [tip] if stands_on == base_sha else self._onto(tip, stands_on, base_sha)
            if done := self._write(tip, parents, base_sha, files, message):
                return done
        raise GitHubUnavailable(f"the branch {self.name} of {self._repository} keeps moving")

    def tip(self) -> str:
        """Its newest commit, `""` where it is not there."""
        try:
            answer = self.client.get(self._git("ref", *self._ref))
        except GitHubRefused as error:
            if error.status in _GONE:
                return ""
            raise
        return take(answer, str, "object", "sha")

    def delete(self) -> None:
        """Remove it, if it is there and ours."""
        tip = self.tip()
        if not tip or not self._stands_on(tip):
            return
        self.client.delete(self._git("refs", *self._ref))

    def _compared(self, base_sha: str, tip: str) -> _Compared:
        answer = self.client.get(endpoint(self.place, "compare", f"{base_sha}...{tip}"))
        files = {take(file, str, "filename"): take(file, str, "sha") for file in take(answer, list, "files")}
        return _Compared(take(answer, int, "ahead_by"), files)

    def _onto(self, tip: str, stands_on: str, base_sha: str) -> list[str]:
        """The parents that bring a branch to a newer base."""
        if not self._compared(stands_on, base_sha).ahead:
            # Its files would take back what the base has got since.
            raise GitHubUnavailable(f"the branch {self.name} of {self._repository} stands on a newer base")
        return [tip, base_sha]

    def _must_be_ours(self, tip: str) -> str:
        """The commit of the base that it stands on."""
        stands_on = self._stands_on(tip)
        if not stands_on:
            raise GitHubRefused(
                f"somebody else has committed to the branch {self.name} of {self._repository}: "
                "their work is left as it is; merge or delete the branch to get a new one",
                409,
            )
        return stands_on

    def _stands_on(self, sha: str) -> str:
        """The commit of the base below a commit of ours, `""` where it is not ours."""
        commit = self.client.get(self._git("commits", sha))
        found = _SEAL.findall(take(commit, str, "message"))
        parents = [take(parent, str, "sha") for parent in take(commit, list, "parents")]
        base_sha, seal = found[-1] if found else ("", "")
        about = self._about(base_sha, take(commit, str, "tree", "sha"), parents)
        return base_sha if self.markers.is_seal(seal, "commit", *about) else ""

    def _write(
        self, tip: str, parents: list[str], base_sha: str, files: Mapping[str, bytes], message: str
    ) -> str:
        """One more commit, and the branch moved to it; `""` where somebody else moved it first."""
        tree = self._tree(base_sha, files)
        seal = self.markers.seal("commit", *self._about(base_sha, tree, parents))
        sealed = f"{message.rstrip()}\n\nTuppence-Seal: {base_sha} {seal}"
        commit = {"message": sealed, "tree": tree, "parents": parents}
        sha = take(self.client.post(self._git("commits"), commit), str, "sha")
        try:
            self._move(tip, sha)
        except GitHubRefused as error:
            if error.status != 422 or self.tip() in {tip, ""}:
                raise
            return ""
        except GitHubUnavailable:
            # It may have been moved all the same.
            if self.tip() != sha:
                raise
        return sha

    def _move(self, tip: str, sha: str) -> None:
        if tip:
            self.client.patch(self._git("refs", *self._ref), {"sha": sha, "force": False})
        else:
            self.client.post(self._git("refs"), {"ref": f"refs/heads/{self.name}", "sha": sha})

    def _tree(self, base_sha: str, files: Mapping[str, bytes]) -> str:
        base = take(self.client.get(self._git("commits", base_sha)), str, "tree", "sha")
        modes = self._modes(base, files)
        entries = [
            {"path": file, "mode": modes[file], "type": "blob", "sha": self._upload(content)}
            for file, content in files.items()
        ]
        made = self.client.post(self._git("trees"), {"base_tree": base, "tree": entries})
        return take(made, str, "sha")

    def _upload(self, content: bytes) -> str:
        body = {"content": b64encode(content).decode(), "encoding": "base64"}
        return take(self.client.post(self._git("blobs"), body), str, "sha")

    def _modes(self, tree: str, files: Mapping[str, bytes]) -> dict[str, str]:
        """What each file is now: a script stays one. Raises GitHubRefused for what is no file."""
        folders: dict[str, Mapping[str, tuple[str, str]]] = {}

        def listed(folder: str) -> Mapping[str, tuple[str, str]]:
            if folder not in folders:
                above, _, name = folder.rpartition("/")
                sha = listed(above).get(name, ("", ""))[1] if folder else tree
                folders[folder] = self._listed(sha) if sha else {}
            return folders[folder]

        found = {}
        for file in files:
            folder, _, name = file.rpartition("/")
            mode = listed(folder).get(name, ("", ""))[0]
            if mode not in _MODES:
                raise GitHubRefused(f"{file} is no file of {self._repository} any more", 404)
            found[file] = mode
        return found

    def _listed(self, tree: str) -> dict[str, tuple[str, str]]:
        """A folder: name -> mode and id."""
        answer = self.client.get(self._git("trees", tree))
        return {
            take(entry, str, "path"): (take(entry, str, "mode"), take(entry, str, "sha"))
            for entry in take(answer, list, "tree")
        }

    def _about(self, base_sha: str, tree: str, parents: list[str]) -> tuple[str | int, ...]:
        return (self.place.repository.id, short_name(self.name), base_sha, tree, *parents)

    @property
    def _ref(self) -> tuple[str, ...]:
        return ("heads", *self.name.split("/"))

    @property
    def _repository(self) -> str:
        return self.place.repository.full_name

    def _git(self, *words: str) -> str:
        return endpoint(self.place, "git", *words)


def _blob(content: bytes) -> str:
    """How git names a file's content."""
    return sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
