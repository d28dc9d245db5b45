"""A plain folder as one side of a change."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from bot.errors import UserError
from bot.ports import SkippedPath

_READ_AT_MOST = 10_000_001


class FolderTree:
    """Every regular file below a folder, without following symlinks or entering `.git`."""

    def __init__(self, folder: Path) -> None:
        """List and hash the files; raises UserError where `folder` is none."""
        if not folder.is_dir():
            raise UserError(f"{folder} is not a folder: give the folder that holds the manifests")
        self._root = folder
        self._skipped: list[SkippedPath] = []
        self._paths = dict(self._listed())

    @property
    def name(self) -> str:
        """The folder's path, as given."""
        return str(self._root)

    @property
    def skipped(self) -> Sequence[SkippedPath]:
        """Symlinks, devices and files that may not be read."""
        return self._skipped

    def paths(self) -> Mapping[str, str]:
        """Every regular file with the digest of its content."""
        return self._paths

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The content of `paths`, in order, cut off after 10,000,001 bytes; files gone since are left out."""
        for path in paths:
            try:
                with (self._root / path).open("rb") as stream:
                    yield path, stream.read(_READ_AT_MOST)
            except OSError:
                continue

    def _listed(self) -> Iterator[tuple[str, str]]:
        for folder, folders, names in os.walk(self._root, onerror=self._hidden):
            here = Path(folder).relative_to(self._root).as_posix()
            prefix = "" if here == "." else f"{here}/"
            folders[:] = sorted(
                name for name in folders if name != ".git" and self._is_real(folder, prefix, name)
            )
            for name in sorted(names):
                mode = os.lstat(f"{folder}/{name}").st_mode
                if not stat.S_ISREG(mode):
                    reason = "a symlink" if stat.S_ISLNK(mode) else "not a regular file"
                    self._skipped.append(SkippedPath(f"{prefix}{name}", reason))
                    continue
                try:
                    with Path(folder, name).open("rb") as stream:
                        yield f"{prefix}{name}", hashlib.file_digest(stream, "sha1").hexdigest()
                except OSError as error:
                    self._hidden(error)

    def _hidden(self, error: OSError) -> None:
        """Note a file or folder that may not be read."""
        path = Path(error.filename).relative_to(self._root).as_posix()
        self._skipped.append(SkippedPath(path, str(error.strerror), hidden=True))

    def _is_real(self, folder: str, prefix: str, name: str) -> bool:
        if Path(folder, name).is_symlink():
            self._skipped.append(SkippedPath(f"{prefix}{name}", "a symlink"))
            return False
        return True
