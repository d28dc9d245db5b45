"""Safe values as review suggestions: few, on lines of the diff, never twice, and settled when they are."""

from __future__ import annotations

from collections.abc import Sequence

from bot.ports import Publications
from bot.pull_requests import PullRequestFacts
from bot.review_ports import Diffs, Reviews
from bot.suggestions import MOST, Suggestion


def offer(
    facts: PullRequestFacts,
    standing: Sequence[Suggestion],
    *,
    diffs: Diffs,
    reviews: Reviews,
    publications: Publications,
) -> tuple[str, ...]:
    """Make the suggestions that are due on this head, and settle those that stand no more.

    `standing` is all that is to be said of the analysed files, worst first. The analysis may have looked
    at a test merge: only where the file is the head's own, byte for byte, do its lines count as the
    diff's. Returns the places of those that GitHub refused, each as `file:line`.
    """
    ref = facts.ref
    known = publications.suggestions(ref.repository.id, ref.number)
    if not standing and all(each.resolved for each in known):
        return ()
    files = diffs.changed_files(ref) if standing else {}
    wanted = [
        each
        for each in standing
        if (file := files.get(each.path)) and each.content == file.content and each.line in file.lines
    ]
    made = reviews.put(
        ref, facts.head_sha, wanted, standing={each.fingerprint for each in standing}, known=known
    )
    remembered = {(each.fingerprint, each.comment_id, each.resolved) for each in known}
    for each in made:
        if (each.fingerprint, each.comment_id, each.resolved) not in remembered:
            publications.keep_suggestion(each)
    there = {each.fingerprint for each in made}
    refused = [each for each in wanted if each.fingerprint not in there] if len(made) < MOST else []
    return tuple(f"{each.path}:{each.line}" for each in refused)
