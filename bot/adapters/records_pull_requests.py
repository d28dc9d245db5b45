"""What was shown on each pull request: its newest head, our comments and our check runs."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import case, select, update

from bot.adapters.records_database import Database
from bot.adapters.records_rows import first, insert, put, rows_of
from bot.adapters.records_tables import checks, comments, heads, shown, suggestions
from bot.records import Head, PublishedCheck, PublishedComment, PublishedSuggestion, ShownPullRequest


def order_at(at: datetime) -> int:
    """The order of a head that was seen then: milliseconds, so that it rises even after rows were purged."""
    return round(at.timestamp() * 1000)


class StoredHeads:
    """The port `Heads`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def see(self, repository: int, number: int, head_sha: str, at: datetime) -> Head:
        """One statement, so that two who see a new head at once agree on its order."""
        seen = Head(repository=repository, number=number, head_sha=head_sha, order=order_at(at))
        with self._database.writing() as connection:
            statement = insert(connection, heads).values(
                repository=repository, number=number, head_sha=head_sha, order=seen.order
            )
            order = case(
                (heads.c.head_sha == statement.excluded.head_sha, heads.c.order),
                (heads.c.order >= statement.excluded.order, heads.c.order + 1),
                else_=statement.excluded.order,
            )
            statement = statement.on_conflict_do_update(
                index_elements=list(heads.primary_key), set_={"head_sha": head_sha, "order": order}
            )
            return Head(**connection.execute(statement.returning(*heads.c)).mappings().one())

    def newest(self, repository: int, number: int) -> Head | None:
        """The head that was seen last."""
        query = select(heads).where(rows_of(heads, repository=repository, number=number))
        with self._database.reading() as connection:
            return first(connection, query, Head)


class StoredPublications:
    """The port `Publications`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def comment(self, repository: int, number: int) -> PublishedComment | None:
        """The one comment on a pull request."""
        query = select(comments).where(rows_of(comments, repository=repository, number=number))
        with self._database.reading() as connection:
            return first(connection, query, PublishedComment)

    def keep_comment(self, comment: PublishedComment) -> bool:
        """Remember the comment; False where one of a newer head is kept."""
        with self._database.writing() as connection:
            return put(connection, comments, comment, unless=comments.c.order > comment.order)

    def suggestions(self, repository: int, number: int) -> tuple[PublishedSuggestion, ...]:
        """Every suggestion on a pull request, by fingerprint."""
        query = select(suggestions).where(rows_of(suggestions, repository=repository, number=number))
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(suggestions.c.fingerprint)).mappings().all()
        return tuple(PublishedSuggestion(**row) for row in found)

    def keep_suggestion(self, suggestion: PublishedSuggestion) -> None:
        """Remember a suggestion, in the place of the one with its fingerprint."""
        with self._database.writing() as connection:
            put(connection, suggestions, suggestion)


class StoredChecks:
    """The port `Checks`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def turn(self, repository: int, head_sha: str) -> AbstractContextManager[None]:
        """Wait until nobody else writes a check on that commit."""
        return self._database.turn("check", repository, head_sha)

    def check(self, repository: int, head_sha: str, name: str) -> PublishedCheck | None:
        """The check run of that name on that commit."""
        query = select(checks).where(rows_of(checks, repository=repository, head_sha=head_sha, name=name))
        with self._database.reading() as connection:
            return first(connection, query, PublishedCheck)

    def keep_check(self, check: PublishedCheck) -> None:
        """Remember a check run, in the place of the one with its commit and name."""
        with self._database.writing() as connection:
            put(connection, checks, check)


class StoredShown:
    """The port `ShownPullRequests`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, pull: ShownPullRequest) -> None:
        """Remember what is shown, in the place of what was."""
        with self._database.writing() as connection:
            put(connection, shown, pull)

    def note_state(self, repository: int, number: int, *, is_open: bool) -> None:
        """Remember that it is open or closed now; nothing where nothing was shown on it."""
        which = rows_of(shown, repository=repository, number=number)
        with self._database.writing() as connection:
            connection.execute(update(shown).where(which, shown.c.open.is_not(is_open)).values(open=is_open))

    def blocked_with(self, repository: int, head_sha: str, number: int) -> tuple[ShownPullRequest, ...]:
        """The open pull requests beside `number` whose newest head that commit is, and whose check failed."""
        same_head = (heads.c.repository == shown.c.repository) & (heads.c.number == shown.c.number)
        query = (
            select(shown)
            .join(heads, same_head)
            .where(
                shown.c.repository == repository,
                shown.c.number != number,
                shown.c.open.is_(True),
                shown.c.blocked.is_(True),
                heads.c.head_sha == head_sha,
            )
            .order_by(shown.c.number)
        )
        with self._database.reading() as connection:
            return tuple(ShownPullRequest(**row) for row in connection.execute(query).mappings())

    def open_ones(self, most: int) -> tuple[ShownPullRequest, ...]:
        """Those that are open, the newest first."""
        query = select(shown).where(shown.c.open.is_(True)).order_by(shown.c.at.desc()).limit(most)
        with self._database.reading() as connection:
            return tuple(ShownPullRequest(**row) for row in connection.execute(query).mappings())
