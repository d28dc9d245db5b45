"""The served part of GraphQL is a part of GitHub's."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from graphql import parse, print_ast
from graphql.language import (
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputValueDefinitionNode,
    Node,
)

from tests.github import contract_data, graph


def _definition(text: str) -> Node:
    (node,) = parse(text).definitions
    return node


def _members(node: Node) -> dict[str, str]:
    """Fields, arguments and values of a type with their types."""
    if isinstance(node, EnumTypeDefinitionNode):
        return {value.name.value: "" for value in node.values or ()}
    found = {}
    fields: Iterable[FieldDefinitionNode | InputValueDefinitionNode] = getattr(node, "fields", None) or ()
    for field in fields:
        found[field.name.value] = print_ast(field.type)
        for argument in getattr(field, "arguments", None) or ():
            found[f"{field.name.value}({argument.name.value})"] = print_ast(argument.type)
    return found


@pytest.mark.parametrize("name", sorted(contract_data.served_types()))
def test_a_type_has_nothing_that_githubs_lacks(name: str) -> None:
    """Fields, arguments, values and their types."""
    theirs = _members(_definition(contract_data.read("graphql.json")[name]))
    ours = _members(_definition(graph.served(name)))
    assert ours.items() <= theirs.items()


def test_every_served_type_is_one_of_githubs() -> None:
    """None was made up."""
    assert contract_data.served_types() == set(contract_data.read("graphql.json"))
