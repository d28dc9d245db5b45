"""Makes the sample repository with its pull request, and the recording beside it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from bot.errors import UserError
from bot.server_config import ServerConfig, Team

TEAMS = ServerConfig(
    teams=(
        Team("ml", budget_monthly=Decimal(6200)),
        Team("checkout", budget_monthly=Decimal(200)),
    )
)
"""What the shop's tuppence.yaml would say; whose a workload is, its label `team` does."""
_HERE = Path(__file__).parent
_AUTHOR = ("-c", "user.name=Sample", "-c", "user.email=sample@example.com", "-c", "commit.gpgsign=false")
_DAY = "2026-11-16T09:00:00+00:00"


@dataclass(frozen=True, slots=True)
class Sample:
    """Where the sample lies, and what its two revisions are called."""

    repository: Path
    recording: Path
    base: str = "main"
    head: str = "right-size"


def make_sample(folder: Path) -> Sample:
    """Write the repository and the recording into an empty or new folder.

    Raises UserError for a folder that holds something or cannot be written, and where git is missing.
    """
    from bot.adapters.usage_writer import write_snapshot  # noqa: PLC0415
    from bot.demo.recording import recording  # noqa: PLC0415

    sample = Sample(folder / "shop", folder / "recorded-usage.json")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(f"{folder}: is not an empty folder; name a new one")
        _copy("before", sample.repository)
    except OSError as error:
        raise UserError(f"{folder}: cannot be written: {error.strerror or error}; name another") from error
    _git(sample.repository, "init", "--quiet", f"--initial-branch={sample.base}")
    _commit(sample.repository, "The shop as it runs")
    _git(sample.repository, "switch", "--quiet", "--create", sample.head)
    _copy("after", sample.repository)
    _commit(sample.repository, "Right-size the shop and prepare for the campaign")
    _git(sample.repository, "switch", "--quiet", sample.base)
    write_snapshot(recording(), sample.recording)
    return sample


def _copy(state: str, repository: Path) -> None:
    # Not with the files' own times: git takes a file of the same size and time for unchanged.
    shutil.copytree(_HERE / state, repository, copy_function=shutil.copyfile, dirs_exist_ok=True)


def _commit(repository: Path, message: str) -> None:
    _git(repository, "add", "--all")
    _git(repository, *_AUTHOR, "commit", "--quiet", "--no-verify", f"--date={_DAY}", f"--message={message}")


def _git(repository: Path, *arguments: str) -> None:
    try:
        subprocess.run(["git", "-C", str(repository), *arguments], check=True, capture_output=True)
    except FileNotFoundError as error:
        raise UserError("git is not installed, and the demo makes a repository: install git") from error
    except subprocess.CalledProcessError as error:
        complaint = error.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UserError(
            f"git {arguments[0]} failed: {complaint[-1] if complaint else 'no reason given'}"
        ) from error
