"""Open the pull request of an approved recommendation, and keep the open ones true.

Nothing is remembered that GitHub does not say as well, so that a step which is done again, or in two
processes at once, ends with the same one branch and one pull request.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.default_branch import whole_tree
from bot.digest import State
from bot.errors import GitHubRefused
from bot.manifests.edits.wanted import Ambiguous, Edit, Wanted, Why
from bot.manifests.edits.writing import verify, write
from bot.manifests.rendered import Renderer
from bot.policy_in_force import policy_in_force
from bot.ports import Policies
from bot.recommendation_json import left_alone_from, place_from, recommendation_from
from bot.recommendation_ports import Branches, Place, Recommendations, RightSizing, RightSizingPulls
from bot.recommendation_records import KeptRecommendation, RecommendationDecision, RightSizingPull
from bot.recommendation_words import reason_words
from bot.right_size_page import RightSize, body_of, farewell, message_of, title_of
from estimators.recommendation import LeftAlone, Reason, Recommendation
from estimators.recommendation_memory import speaks_for

_LONGEST_SLUG = 60
_NO_LONGER = "the newest look at the default branch no longer proposes it"
_PASSING = frozenset(
    (
        Reason.FROZEN,
        Reason.SLO_BURNING,
        Reason.ROLLOUT,
        Reason.NOT_AS_DECLARED,
        Reason.NOT_SEEN,
        Reason.TOO_YOUNG,
        Reason.SHORT_HISTORY,
        Reason.POOR_HISTORY,
    )
)
"""Why a workload was not judged: what was approved may well hold, and the look after that tells."""
_THERE = "the values are on the default branch already"


@dataclass(frozen=True, slots=True)
class RightSizingPorts:
    """What a pull request of ours is made with. `web` is where people look at GitHub's repositories."""

    branches: Branches
    right_sizing: RightSizing
    pulls: RightSizingPulls
    recommendations: Recommendations
    policies: Policies
    render: Renderer
    web: str


@dataclass(frozen=True, slots=True)
class Became:
    """What became of a recommendation.

    `state` is opened, merged, closed, stale, or by-hand: then `why` says what is to be changed where, and
    `patch` is text to copy, `""` where none helps. `address` is that of the pull request.
    """

    id: str
    state: State
    why: str = ""
    address: str = ""
    patch: str = ""


@dataclass(frozen=True, slots=True)
class _Looked:
    """The default branch's newest commit, and what writing the values there comes to."""

    sha: str
    written: Edit | Ambiguous


def branch_of(kept: KeptRecommendation) -> str:
    """The branch of a workload's pull requests: `tuppence/right-size-shop-api-1a2b3c4d`."""
    words = re.sub(r"[^a-z0-9]+", "-", f"{kept.namespace}-{kept.name}".lower()).strip("-")
    return f"tuppence/right-size-{words[:_LONGEST_SLUG].strip('-') or 'workload'}-{kept.subject[:8]}"


def open_pull(
    kept: KeptRecommendation,
    decision: RecommendationDecision,
    *,
    ports: RightSizingPorts,
    currency: str,
    now: datetime,
) -> Became:
    """Write an approved value where it came from, in the workload's one pull request.

    One that people have merged or closed is not opened again. Raises GitHubUnavailable, GitUnavailable,
    StoreUnavailable, and GitHubRefused where GitHub does not take the App's key.
    """
    before = ports.pulls.find(kept.repository, kept.subject)
    if before is not None and before.id == kept.id and before.state != "open" and not before.closed_because:
        return Became(kept.id, before.state, address=before.address)
    if not kept.open:
        return Became(kept.id, "stale", _NO_LONGER)
    place = place_from(kept.place)
    try:
        looked = _look(kept, place, ports, now)
        if not isinstance(looked.written, Edit):
            return _not_written(kept.id, looked.written)
        if not looked.written.files:
            return Became(kept.id, "stale", _THERE)
        page = _page(kept, place, decision, looked, looked.written, ports, currency)
        pull = _put(kept, place, page, looked.written, ports, before, now)
    except GitHubRefused as error:
        if error.denied:
            raise
        return Became(kept.id, "by-hand", _by_hand(recommendation_from(kept.recommendation), error))
    return Became(kept.id, "opened", address=pull.address)


def upkeep(
    place: Place,
    pull: RightSizingPull,
    decision: RecommendationDecision | None,
    *,
    ports: RightSizingPorts,
    currency: str,
    now: datetime,
) -> Became | None:
    """Keep an open pull request true after a scan; None where nothing has become of it.

    What people have merged or closed is noted. What is no longer true is closed with the reason. Where
    the files have changed so that the edit is another one, the branch is written anew; once somebody else
    has pushed to it, it is theirs. Raises as `open_pull`, and GitHubRefused.
    """
    there = ports.right_sizing.pull(place, pull.number)
    if there.state != "open":
        state: State = "merged" if there.state == "merged" else "closed"
        because = "" if state == "merged" else pull.closed_because
        if because:  # we began to close it: its branch may still be there
            ports.right_sizing.close(place, pull.number, farewell(because), pull.branch)
        ended = replace(
            pull,
            state="merged" if state == "merged" else "closed",
            head_sha=there.head_sha,
            closed_at=now,
            closed_because=because,
        )
        ports.pulls.keep(ended)
        return Became(pull.id, state, because, pull.address)
    kept = ports.recommendations.find(pull.id)
    if kept is None:
        return _close(place, pull, _NO_LONGER, ports, now)
    looked = _look(kept, place, ports, now)
    if reason := _untrue(kept, looked.written, ports.recommendations):
        return _close(place, pull, reason, ports, now)
    if isinstance(looked.written, Edit) and decision is not None:
        page = _page(kept, place, decision, looked, looked.written, ports, currency)
        _renew(place, page, looked.written, ports, pull)
    return None


def _look(kept: KeptRecommendation, place: Place, ports: RightSizingPorts, now: datetime) -> _Looked:
    changes = recommendation_from(kept.recommendation).changes
    sha = ports.branches.head(place)
    with ports.branches.tree(place, sha) as tree:
        policy, _ = policy_in_force(
            tree,
            repository=kept.repository,
            branch=place.repository.default_branch,
            sha=sha,
            policies=ports.policies,
            at=now,
        )
        whole, wanted = whole_tree(tree, policy, ports.render), [Wanted.of(change) for change in changes]
        written = write(whole, wanted)
        if isinstance(written, Ambiguous) and written.why is Why.STALE and not verify(whole, {}, wanted):
            written = Edit({}, ())  # another value than it was: the one that was approved
        return _Looked(sha, written)


def _put(
    kept: KeptRecommendation,
    place: Place,
    page: RightSize,
    edit: Edit,
    ports: RightSizingPorts,
    before: RightSizingPull | None,
    now: datetime,
) -> RightSizingPull:
    branch = branch_of(kept)
    head_sha = ports.right_sizing.put_branch(place, branch, page.head_sha, edit.files, message_of(page))
    there = ports.right_sizing.put_pull(place, branch, title_of(page.recommendation), body_of(page))
    same = before is not None and before.number == there.number
    pull = RightSizingPull(
        repository=kept.repository,
        subject=kept.subject,
        id=kept.id,
        branch=branch,
        number=there.number,
        address=there.address,
        head_sha=head_sha,
        state="open",
        opened_at=before.opened_at if before and same else now,
    )
    ports.pulls.keep(pull)
    return pull


def _renew(place: Place, page: RightSize, edit: Edit, ports: RightSizingPorts, pull: RightSizingPull) -> None:
    """Write the branch anew where its edit is another one by now; its words go with it."""
    try:
        head_sha = ports.right_sizing.put_branch(
            place, pull.branch, page.head_sha, edit.files, message_of(page)
        )
    except GitHubRefused:
        return  # somebody else has pushed to it: it is theirs to keep true
    if head_sha != pull.head_sha:
        ports.right_sizing.put_pull(place, pull.branch, title_of(page.recommendation), body_of(page))
        ports.pulls.keep(replace(pull, head_sha=head_sha))


def _untrue(kept: KeptRecommendation, written: Edit | Ambiguous, recommendations: Recommendations) -> str:
    """Why a pull request says what is no longer so, `""` where it is true."""
    if isinstance(written, Edit) and not written.files:
        return _THERE
    if isinstance(written, Ambiguous) and not (kept.open and written.why is Why.NOT_THERE):
        return written.advice
    if kept.open:
        return ""  # also where the object cannot be rendered just now: the scan would have missed it too
    approved = recommendation_from(kept.recommendation)
    newer = [
        recommendation_from(one.recommendation)
        for one in recommendations.open_ones()
        if one.subject == kept.subject
    ]
    # Values move a little from day to day: what was approved holds while it goes no deeper than today's.
    if any(speaks_for(one, approved) for one in newer):
        return ""
    left = [one for one in _left(kept, approved, recommendations) if one.finder in ("", kept.finder)]
    if any(one.reason in _PASSING for one in left):
        return ""
    return ": ".join([_NO_LONGER, *(reason_words(one.reason, one.facts) for one in left[:1])])


def _close(
    place: Place, pull: RightSizingPull, reason: str, ports: RightSizingPorts, now: datetime
) -> Became:
    # Noted before it is done: whoever finds it closed after a crash must not take a person to have done it.
    ports.pulls.keep(replace(pull, closed_because=reason))
    ports.right_sizing.close(place, pull.number, farewell(reason), pull.branch)
    ports.pulls.keep(replace(pull, state="closed", closed_at=now, closed_because=reason))
    return Became(pull.id, "closed", reason, pull.address)


def _not_written(id: str, written: Ambiguous) -> Became:  # noqa: A002 - its name
    state: State = "stale" if written.why is Why.STALE else "by-hand"
    return Became(id, state, written.advice, patch=written.patch)


def _by_hand(found: Recommendation, error: GitHubRefused) -> str:
    where = f"{found.source.file}:{found.source.line}"
    return f"{error}. Begin at {where}"


def _page(
    kept: KeptRecommendation,
    place: Place,
    decision: RecommendationDecision,
    looked: _Looked,
    edit: Edit,
    ports: RightSizingPorts,
    currency: str,
) -> RightSize:
    found = recommendation_from(kept.recommendation)
    return RightSize(
        recommendation=found,
        decision=decision,
        places=edit.places,
        left=_left(kept, found, ports.recommendations),
        currency=currency,
        web=f"{ports.web}/{place.repository.full_name}",
        head_sha=looked.sha,
    )


def _left(
    kept: KeptRecommendation, found: Recommendation, recommendations: Recommendations
) -> Sequence[LeftAlone]:
    """What the newest scan looked at for the same workload and left."""
    rows = [
        left_alone_from(row)
        for scan in recommendations.scans()
        if scan.repository == kept.repository
        for row in scan.left_alone["rows"]
    ]
    return [row for row in rows if row.key == found.key]
