"""Whether a default branch still says what it said when a recommendation was found there."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from bot.default_branch import whole_tree
from bot.manifests.edits.wanted import same_amount
from bot.manifests.edits.whole_tree import WholeTree
from bot.manifests.rendered import Renderer
from bot.policy import FILE_NAME
from bot.policy_in_force import policy_in_force
from bot.ports import Policies
from bot.recommendation_json import place_from, recommendation_from
from bot.recommendation_ports import Branches, Recommendations, RightSizingPulls
from bot.recommendation_records import KeptRecommendation
from estimators.objects import dig, dotted
from estimators.recommendation import FieldChange


def difference(
    kept: KeptRecommendation, *, branches: Branches, policies: Policies, render: Renderer, now: datetime
) -> str:
    """What has changed about the fields of a recommendation since, `""` where nothing has.

    Nothing is read where the branch has no newer commit. Raises GitHubUnavailable, GitHubRefused,
    GitUnavailable, StoreUnavailable.
    """
    place = place_from(kept.place)
    sha = branches.head(place)
    if sha == kept.head_sha:
        return ""
    with branches.tree(place, sha) as tree:
        policy, _ = policy_in_force(
            tree,
            repository=kept.repository,
            branch=place.repository.default_branch,
            sha=sha,
            policies=policies,
            at=now,
        )
        whole = whole_tree(tree, policy, render)
        changes = recommendation_from(kept.recommendation).changes
        return "; ".join(filter(None, (_difference(whole, change) for change in changes)))


def may_be_untrue(
    repository: int,
    files: Collection[str] | None,
    *,
    recommendations: Recommendations,
    pulls: RightSizingPulls,
) -> bool:
    """Whether what is open of a repository was found in one of `files` (None: in any), or goes by the policy.

    What is open are recommendations and pull requests of ours. Raises StoreUnavailable.
    """
    found = [one for one in recommendations.open_ones() if one.repository == repository]
    proposed = [recommendations.find(pull.id) for pull in pulls.open_ones(repository)]
    found += [one for one in proposed if one is not None]
    sources = {recommendation_from(one.recommendation).source.file for one in found}
    return bool(sources) and (files is None or not sources.isdisjoint(files) or FILE_NAME in files)


def _difference(whole: WholeTree, change: FieldChange) -> str:
    found = whole.find(change.object)
    if not found:
        return f"{change.object} is not on the default branch any more"
    if change.removes:
        return ""
    value = dig(found[0].item.body, *change.path)
    if same_amount(value, change.current) or (value is None and not change.current):
        return ""
    said = "absent" if value is None else str(value)[:40]
    return f"{change.object} {dotted(change.path)} is {said} by now, not {change.current or 'absent'}"
