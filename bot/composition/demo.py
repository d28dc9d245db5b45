"""The part of the composition root that `tuppence demo` is told by: a sample, and the commands upon it."""

from __future__ import annotations

import shutil
import tempfile
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.composition.output import put_out

if TYPE_CHECKING:
    from bot.cost_memory import HoursInMemory
    from bot.demo.story import Sample

_STORY = (
    "A pull request is to right-size a sample shop: seven files, seven workloads. Fourteen days of the "
    "shop's utilisation were recorded. This is what Tuppence says on the pull request:"
)
_SO = (
    "So one saving is an outage: api needs more than its new limit every Wednesday. Another is safe: indexer "
    "never used what it gives up. The second GPU would idle beside the first, and web's new bounds cost a "
    "little on an ordinary day and a lot on a very busy one."
)
_DIGEST = (
    "Every Monday Tuppence tells each team its week, and finance everybody's. In Slack, a click approves a "
    "saving, and the pull request opens itself:"
)
_STEPS = """
On a repository of your own:

  cd your-repository
  tuppence diff main                   what your branch costs, from list prices
  tuppence diff main --prometheus URL  what it may break, too: from live use
  tuppence digest --prometheus URL     each team's week, and what is safe to save
  tuppence init                        a starter .tuppence.yaml
"""
_WIDEST = 100


def demo(keep: Path | None, *, details: bool = False) -> None:
    """Make the sample, price its pull request as `diff` does, tell its week, and say how to go on."""
    from bot.app import DiffOptions, price, show  # noqa: PLC0415
    from bot.demo.story import make_sample  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="tuppence-demo-") as scratch:
        sample = make_sample(keep or Path(scratch) / "demo")
        _tell(_STORY)
        options = DiffOptions(
            base=sample.base,
            head=sample.head,
            repo=sample.repository,
            usage=sample.recording,
            details=details,
        )
        show(price(options), options)
        put_out("\n")
        _tell(_SO, _DIGEST)
        _tell_week(sample, Path(scratch))
        put_out(_STEPS)
        if keep:
            put_out(
                f"\nThe sample stays in {keep}. Try: tuppence diff {sample.base} {sample.head} "
                f"--repo {sample.repository} --usage {sample.recording} --format markdown\n"
            )


def _tell(*paragraphs: str) -> None:
    """As wide as the terminal is, and no wider than reads well."""
    width = min(shutil.get_terminal_size((_WIDEST, 0)).columns, _WIDEST)
    for paragraph in paragraphs:
        put_out(f"{textwrap.fill(paragraph, width)}\n\n")


def _tell_week(sample: Sample, scratch: Path) -> None:
    """The sample's last week, whatever the person has set up for clusters of their own."""
    from bot.composition.digest_cli import DigestOptions, tell_digest  # noqa: PLC0415
    from bot.demo.recording import END  # noqa: PLC0415
    from bot.demo.story import TEAMS  # noqa: PLC0415
    from bot.settings import PrometheusSettings, from_env  # noqa: PLC0415

    own = replace(
        from_env(), prometheus=PrometheusSettings(), database_url=f"sqlite:///{scratch}/tuppence.db"
    )
    options = DigestOptions(repo=sample.repository, usage=sample.recording)
    tell_digest(options, now=END, settings=own, config=TEAMS, measured=_charged())


def _charged() -> HoursInMemory:
    """The sample's hours."""
    from bot.cost_memory import HoursInMemory  # noqa: PLC0415
    from bot.demo.hours import hours  # noqa: PLC0415
    from bot.demo.recording import END  # noqa: PLC0415
    from estimators.allocate import allocate  # noqa: PLC0415

    found = HoursInMemory(END)
    found.add("", map(allocate, hours()), "USD")
    return found
