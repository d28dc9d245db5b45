"""Which policy holds on a branch: the one that its newest commit has, else the last that could be read."""

from __future__ import annotations

from datetime import datetime

from bot import policy
from bot.errors import UserError
from bot.policy import Policy
from bot.ports import Policies, Tree
from bot.records import LastGoodPolicy


def policy_in_force(
    tree: Tree, *, repository: int, branch: str, sha: str, policies: Policies, at: datetime
) -> tuple[Policy, str]:
    """The policy, and what is wrong with the one that `branch` has, `""` where nothing is.

    A policy that can be read is remembered as that of `sha`. Without any, nothing is asked for.
    """
    text = policy_text(tree)
    if text is None:
        return Policy(), ""
    try:
        rules = policy.parse(text)
    except UserError as error:
        last = policies.last_good(repository, branch)
        which = f"the one of {last.base_sha[:7]} stays in force" if last else "none is in force"
        problem = f"the policy on {branch} cannot be read, {which}: {first_line(error)}"
        return _rules(last), problem
    policies.keep(LastGoodPolicy(repository=repository, branch=branch, base_sha=sha, text=text, at=at))
    return rules, ""


def last_policy(repository: int, branch: str, policies: Policies) -> Policy:
    """The last policy of a branch that could be read, as the newest look at its files left it."""
    return _rules(policies.last_good(repository, branch))


def _rules(last: LastGoodPolicy | None) -> Policy:
    return policy.parse(last.text) if last else Policy()


def policy_text(tree: Tree) -> str | None:
    """What stands in the policy file, None where there is none."""
    if policy.FILE_NAME not in tree.paths():
        return None
    found = list(tree.read([policy.FILE_NAME]))
    return found[0][1].decode("utf-8", "replace") if found else None


def first_line(error: UserError) -> str:
    """The first of its problems."""
    return str(error).splitlines()[0]
