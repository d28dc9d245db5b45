"""What `deploy/` grants and starts is what the product needs, no more and no less."""

from __future__ import annotations

from pathlib import Path

from bot.adapters import kubernetes_live
from bot.manifests import documents

DEPLOY = Path(__file__).parent.parent / "deploy"


def test_the_read_role_lists_exactly_what_is_read() -> None:
    """A missing grant would be a gap in every report, a further one a risk for nothing."""
    [role] = documents.read((DEPLOY / "rbac-read.yaml").read_bytes()).documents
    granted = {
        (group, resource, verb)
        for rule in role.body["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    read = {(kind.group, kind.plural) for kind in kubernetes_live._KINDS} | {("", "nodes"), ("", "pods")}

    assert {(*place, "list") for place in read} == granted
