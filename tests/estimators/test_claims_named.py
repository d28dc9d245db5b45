"""Which claims a manifest names without declaring them, whatever it is."""

from __future__ import annotations

import pytest

from estimators.claims_named import claims_named
from tests.yaml_objects import deployment, objects


def named(text: str) -> list[tuple[str, str]]:
    return [claim for thing in objects(text) for claim in claims_named(thing)]


def custom(kind: str, spec: str) -> str:
    return f"apiVersion: example.io/v1\nkind: {kind}\nmetadata: {{name: it, namespace: shop}}\nspec: {spec}\n"


CLONED = "{kind: PersistentVolumeClaim, name: golden}"


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        (deployment(extra="      volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]"), [("payments", "data")]),
        (custom("PersistentVolumeClaim", f"{{dataSource: {CLONED}}}"), [("shop", "golden")]),
        (custom("StatefulSet", f"{{volumeClaimTemplates: [{{spec: {{dataSourceRef: {CLONED}}}}}]}}"), [("shop", "golden")]),
        (custom("PersistentVolumeClaim", "{dataSourceRef: {kind: PersistentVolumeClaim, name: golden, namespace: images}}"), [("images", "golden")]),
        (custom("PersistentVolumeClaim", "{dataSource: {apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: s}}"), []),
        (custom("VolumeSnapshot", "{source: {persistentVolumeClaimName: data}}"), [("shop", "data")]),
        (custom("DataVolume", "{source: {pvc: {namespace: images, name: golden}}}"), [("shop", "it"), ("images", "golden")]),
        (custom("DataSource", "{source: {pvc: {name: golden}}}"), [("shop", "golden")]),
        (custom("VirtualMachine", "{template: {spec: {volumes: [{dataVolume: {name: root}}, {persistentVolumeClaim: {claimName: data}}]}}}"), [("shop", "data"), ("shop", "root")]),
        (custom("CustomResourceDefinition", "{persistentVolumeClaim: {claimName: x}}"), []),
        (custom("Odd", "{source: [pvc], persistentVolumeClaim: data, dataVolume: 3, persistentVolumeClaimName: {}, dataSource: x}"), []),
    ],
    ids=["pod", "clone", "template", "other namespace", "snapshot", "snapshot of", "data volume", "data source", "machine", "schema", "odd"],
)  # fmt: skip
def test_a_claim_is_named(text: str, claims: list[tuple[str, str]]) -> None:
    """In the namespace of what names it, unless it names one."""
    assert sorted(named(text)) == sorted(claims)
