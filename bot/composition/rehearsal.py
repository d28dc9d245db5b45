"""The part of the composition root that tries a bot: with an event of one's own, or without writing."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from bot.errors import UserError
from bot.github_events import PullRequestRef
from bot.publication import CHECK_NAME, CheckOutput
from bot.records import Head, PublishedCheck, PublishedComment, PublishedSuggestion
from bot.server_config import ServerConfig
from bot.settings import ServeSettings, Settings
from bot.suggestions import MOST, Suggestion, settled

Say = Callable[[str], None]
_NOWHERE = 1
"""The id of what was printed and is nowhere."""


def replay(file: Path, *, event: str, url: str, sign: str) -> str:
    """Send the webhook in `file`, signed with the secret in the environment variable `sign`."""
    from bot.adapters.webhook_sender import post  # noqa: PLC0415 - slow to import
    from bot.entrypoints.github_readings import READERS  # noqa: PLC0415
    from bot.handlers import replay as handler  # noqa: PLC0415
    from bot.settings import secret_in  # noqa: PLC0415

    try:
        body = file.read_bytes()
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror}") from error
    secret = secret_in(sign)
    return handler.replay(body, event=event, known=READERS, url=url, secret=secret, post=post)


def dry_run(settings: Settings, serving_settings: ServeSettings, config: ServerConfig) -> None:
    """Serve, and print what would be written on GitHub. The records are the run's own and go with it.

    With the real ones the next run would look for comments that are nowhere. People in Slack are left to the
    bot that answers them. Raises as `serve` does.
    """
    from bot.composition.server import serve  # noqa: PLC0415 - slow to import

    with tempfile.TemporaryDirectory(prefix="tuppence-dry-run-") as folder:
        own = replace(settings, database_url=f"sqlite:///{folder}/records.db")
        serve(own, replace(serving_settings, slack=None), config, rehearsed=True)


@dataclass(frozen=True, slots=True)
class SaidComments:
    """The port `Comments`, said instead of written."""

    say: Say

    def put(
        self,
        ref: PullRequestRef,
        bodies: Sequence[str],
        head: Head,
        known: PublishedComment | None,
        *,
        create: bool,
    ) -> PublishedComment | None:
        """Say the comment, unless it was said already or would not be made."""
        if known is None and not create:
            return None
        digest = hashlib.sha256(bodies[0].encode("utf-8", "surrogatepass")).hexdigest()
        if known is None or known.body_hash != digest:
            self.say(f"{_place(ref)}: would comment:\n\n{bodies[0]}\n")
        return PublishedComment(
            repository=ref.repository.id,
            number=ref.number,
            comment_id=_NOWHERE,
            body_hash=digest,
            head_sha=head.head_sha,
            order=head.order,
            at=datetime.now(UTC),
        )

    def reply(self, ref: PullRequestRef, body: str, key: str) -> None:
        """Say the answer; `key` is what keeps GitHub from having it twice."""
        self.say(f"{_place(ref)}: would answer {key}:\n\n{body}\n")


@dataclass(frozen=True, slots=True)
class SaidCheckRuns:
    """The port `CheckRuns`, said instead of written."""

    say: Say

    def put(
        self, ref: PullRequestRef, head_sha: str, output: CheckOutput | None, known: PublishedCheck | None
    ) -> PublishedCheck:
        """Say the conclusion and the annotations; the summary is the comment's text."""
        told = "in progress" if output is None else f"{output.conclusion}: {output.title}"
        digest = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
        if known is None or known.output_hash != digest:
            lines = [
                f"  {each.path}:{each.line}: {each.level}: {each.message}"
                for each in (output.annotations if output else ())
            ]
            self.say("\n".join([f"{_place(ref)}: would set the check of {head_sha[:7]} to {told}", *lines]))
        return PublishedCheck(
            repository=ref.repository.id,
            head_sha=head_sha,
            name=CHECK_NAME,
            check_run_id=_NOWHERE,
            output_hash=digest,
            status="completed" if output else "in_progress",
            at=datetime.now(UTC),
        )


@dataclass(frozen=True, slots=True)
class SaidReviews:
    """The port `Reviews`, said instead of written."""

    say: Say

    def put(
        self,
        ref: PullRequestRef,
        head_sha: str,
        wanted: Sequence[Suggestion],
        *,
        standing: Collection[str],
        known: Sequence[PublishedSuggestion],
    ) -> tuple[PublishedSuggestion, ...]:
        """Say what was never said, five at the most, and which of those that were said are settled."""
        there = {each.fingerprint: each.resolved for each in known}
        for fingerprint, is_settled in there.items():
            if fingerprint not in standing and not is_settled:
                self.say(f"{_place(ref)}: would say of suggestion {fingerprint}: {settled(head_sha)}")
                there[fingerprint] = True
        for each in wanted:
            if each.fingerprint not in there and len(there) < MOST:
                where = f"{each.path}:{each.line}"
                self.say(
                    f"{_place(ref)}: would suggest {each.fingerprint} on {where}:\n\n{each.markdown()}\n"
                )
                there[each.fingerprint] = False
        return tuple(
            PublishedSuggestion(
                repository=ref.repository.id,
                number=ref.number,
                fingerprint=fingerprint,
                comment_id=_NOWHERE,
                resolved=is_settled,
                at=datetime.now(UTC),
            )
            for fingerprint, is_settled in there.items()
        )


def _place(ref: PullRequestRef) -> str:
    return f"{ref.repository.full_name}#{ref.number}"
