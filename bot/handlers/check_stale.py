"""Whether a default branch, and what runs, still say what they said when a recommendation was found."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from bot.default_branch import whole_tree
from bot.manifests.edits.wanted import same_amount
from bot.manifests.edits.whole_tree import WholeTree
from bot.manifests.rendered import Renderer
from bot.policy import Environment, Policy
from bot.policy_in_force import last_policy, policy_in_force
from bot.ports import Policies
from bot.recommendation_json import place_from, recommendation_from
from bot.recommendation_ports import Branches, Recommendations, RightSizingPulls, RunningPods
from bot.recommendation_records import KeptRecommendation
from estimators.objects import dig
from estimators.quantity import show_amount
from estimators.recommendation import FieldChange
from estimators.running import changed_since

_DEPLOYED = (".yaml", ".yml", ".json", ".tpl", "Kustomization")
"""How the names of manifests, patches, values, templates and policies end."""


def difference(
    kept: KeptRecommendation,
    *,
    branches: Branches,
    policies: Policies,
    render: Renderer,
    pods: RunningPods,
    now: datetime,
) -> str:
    """What has changed about the fields of a recommendation since, `""` where nothing has.

    Files are read only where the branch has a newer commit; the cluster is asked where they say the same.
    Raises OutsideError: GitHubUnavailable, GitHubRefused, GitUnavailable, StoreUnavailable, and what the
    cluster's source raises.
    """
    place = place_from(kept.place)
    changes = recommendation_from(kept.recommendation).changes
    branch, sha = place.repository.default_branch, branches.head(place)
    if sha == kept.head_sha:
        policy = last_policy(kept.repository, branch, policies)
        return "; ".join(_runs_otherwise(changes, policy, kept.environment, pods))
    with branches.tree(place, sha) as tree:
        policy, _ = policy_in_force(
            tree, repository=kept.repository, branch=branch, sha=sha, policies=policies, at=now
        )
        whole = whole_tree(tree, policy, render)
        declared = [different for change in changes if (different := _difference(whole, change))]
    return "; ".join(declared or _runs_otherwise(changes, policy, kept.environment, pods))


def may_be_untrue(
    repository: int,
    files: Collection[str] | None,
    *,
    recommendations: Recommendations,
    pulls: RightSizingPulls,
) -> bool:
    """Whether one of `files` (None: any) may say otherwise what is open of a repository.

    What is open are recommendations and pull requests of ours. A value comes from more files than the one
    that declares the object: patches, values, templates, the policy. Raises StoreUnavailable.
    """
    found = [one for one in recommendations.open_ones() if one.repository == repository]
    proposed = [recommendations.find(pull.id) for pull in pulls.open_ones(repository)]
    found += [one for one in proposed if one is not None]
    sources = {recommendation_from(one.recommendation).source.file for one in found}
    return bool(sources) and (
        files is None or any(file.endswith(_DEPLOYED) or file in sources for file in files)
    )


def _runs_otherwise(
    changes: Sequence[FieldChange], policy: Policy, environment: str, pods: RunningPods
) -> Iterator[str]:
    """What runs with other values than those that were measured, though no file says so."""
    namespaces = sorted({change.object.namespace for change in changes} - {""})
    if not namespaces:
        return
    named = (one for one in policy.environments if one.name == environment)
    rules = next(named, Environment(environment, ()))
    now = pods.running(namespaces, rules.prometheus_selector, rules.cluster)
    for change, seen in changed_since(changes, now):
        value = show_amount(str(change.path[-1]), seen)
        yield f"{change.object} {change.field} is {value} in the cluster by now, not {change.current}"


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
    return f"{change.object} {change.field} is {said} by now, not {change.current or 'absent'}"
