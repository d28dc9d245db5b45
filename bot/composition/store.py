"""The part of the composition root that opens our own records."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bot.composition.output import put_out
from bot.errors import UserError

if TYPE_CHECKING:
    from bot.adapters.records import Records


@contextmanager
def open_records() -> Iterator[Records]:
    """The records at `TUPPENCE_DATABASE_URL`, as they are: nothing is made or brought up to date."""
    from bot.adapters.records import Records  # noqa: PLC0415 - slow to import
    from bot.settings import from_env  # noqa: PLC0415

    with closing(Records(from_env().database_url)) as records:
        yield records


@contextmanager
def scratch_records() -> Iterator[Records]:
    """A store that is thrown away."""
    from bot.adapters.records import Records  # noqa: PLC0415 - slow to import

    with (
        tempfile.TemporaryDirectory(prefix="tuppence-") as folder,
        closing(Records(f"sqlite:///{Path(folder) / 'tuppence.db'}")) as records,
    ):
        records.prepare()
        yield records


@contextmanager
def _audited_records() -> Iterator[Records]:
    """Those that a bot has written to: at a mistyped address there are no rows either, and none is wrong."""
    with open_records() as records:
        if not records.has_tables():
            raise UserError(
                f"{records.name}: tuppence serve has never written there; "
                "set TUPPENCE_DATABASE_URL as it is for tuppence serve"
            )
        yield records


def list_audit(*, last: int, subject: str, actor: str) -> str:
    """The newest audit rows, for people."""
    from bot.handlers.audit import list_rows  # noqa: PLC0415

    with _audited_records() as records:
        return list_rows(audit=records.audit, last=last, subject=subject, actor=actor)


def verify_audit(noted: str) -> tuple[str, bool]:
    """What is to be said of the audit rows, and whether they are whole."""
    from bot.handlers.audit import verify_rows  # noqa: PLC0415

    with _audited_records() as records:
        return verify_rows(audit=records.audit, noted=noted)


def export_audit(output: Path | None) -> None:
    """Write every audit row as a line of JSON."""
    from bot.handlers.audit import export_rows  # noqa: PLC0415

    with _audited_records() as records:
        lines = export_rows(audit=records.audit)
        if output is None:
            for line in lines:
                put_out(line)
            return
        try:
            with output.open("w", encoding="utf-8") as file:
                file.writelines(lines)
        except OSError as error:
            raise UserError(f"--output {output}: cannot be written: {error.strerror}") from error
