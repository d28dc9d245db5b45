"""All that a repository's default branch deploys, read in one way by whoever looks or writes there."""

from __future__ import annotations

from bot.manifests.change import EnvironmentRule, Terms
from bot.manifests.edits.whole_tree import WholeTree
from bot.manifests.rendered import Renderer
from bot.policy import Policy
from bot.ports import Tree


def whole_tree(tree: Tree, policy: Policy, render: Renderer) -> WholeTree:
    """Everything in `tree`, with environments named as reports name them."""
    rules = [EnvironmentRule(item.name, item.paths, item.values) for item in policy.environments]
    return WholeTree(tree, Terms(render, rules, policy.ignore))
