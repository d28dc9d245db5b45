"""Recommendations go to JSON and come back the same."""

from __future__ import annotations

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot.github_events import Repository
from bot.recommendation_json import (
    left_alone_from,
    left_alone_json,
    place_from,
    place_json,
    realisable_from,
    realisable_json,
    recommendation_from,
    recommendation_json,
)
from bot.recommendation_ports import Place
from bot.recommendation_records import id_of
from estimators.objects import Identity, Source
from estimators.recommendation import FieldChange, LeftAlone, Realisable, Reason, Recommendation
from estimators.report import Confidence, Verdict

TEXTS = st.text(max_size=12)
FACTS = st.dictionaries(TEXTS, TEXTS, max_size=3)
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False)
IDENTITIES = st.builds(Identity, TEXTS, TEXTS, TEXTS, TEXTS)
PATHS = st.lists(TEXTS | st.integers(0, 99), max_size=6).map(tuple)
CHANGES = st.builds(
    FieldChange,
    object=IDENTITIES,
    path=PATHS,
    container=TEXTS,
    current=TEXTS,
    proposed=TEXTS,
    count=st.booleans(),
)
REALISABLE = st.builds(Realisable, st.none() | AMOUNTS, TEXTS, st.lists(TEXTS, max_size=3).map(tuple))
RECOMMENDATIONS = st.builds(
    Recommendation,
    finder=TEXTS,
    environment=TEXTS,
    key=IDENTITIES,
    source=st.builds(Source, TEXTS, st.integers(1, 10_000)),
    changes=st.lists(CHANGES, max_size=3).map(tuple),
    allocated=AMOUNTS,
    realisable=REALISABLE,
    evidence=FACTS,
    confidence=st.sampled_from(Confidence),
    verdict=st.sampled_from(Verdict),
    blast_radius=TEXTS,
    risks=st.lists(TEXTS, max_size=3).map(tuple),
    undo=TEXTS,
    labels=FACTS,
)
LEFT_ALONE = st.builds(LeftAlone, TEXTS, IDENTITIES, st.sampled_from(Reason), TEXTS, FACTS)


@given(RECOMMENDATIONS)
def test_a_recommendation_survives_json_text(recommendation: Recommendation) -> None:
    """Every field, to the type and the last digit, and with it the name in buttons."""
    back = recommendation_from(json.loads(json.dumps(recommendation_json(recommendation))))
    assert back == recommendation
    assert str(back.allocated) == str(recommendation.allocated)
    assert id_of(7, back) == id_of(7, recommendation)


@given(REALISABLE)
def test_what_the_bill_falls_by_survives_json_text(realisable: Realisable) -> None:
    """An unknown amount stays unknown."""
    assert realisable_from(json.loads(json.dumps(realisable_json(realisable)))) == realisable


@given(LEFT_ALONE)
def test_what_is_left_alone_survives_json_text(left: LeftAlone) -> None:
    """With its reason and its facts, whatever is kept beside them."""
    told = left_alone_json(left) | {"team": "payments"}
    assert left_alone_from(json.loads(json.dumps(told))) == left


def test_a_place_survives_json_text() -> None:
    """A repository's owner, name, address and branch, and the installation."""
    place = Place(3, Repository(7, "acme", "shop", "https://github.com/acme/shop.git", "main"))
    assert place_from(json.loads(json.dumps(place_json(place)))) == place


def test_an_index_in_a_path_stays_a_number() -> None:
    """The first container is `0` in JSON, not `"0"`: the path leads to a list's item."""
    change = FieldChange(
        Identity("prod", "shop", "Deployment", "api"), ("containers", 0, "image"), "api", "1", "2"
    )
    found = Recommendation(
        finder="requests",
        environment="prod",
        key=change.object,
        source=Source("api.yaml", 3),
        changes=(change,),
        allocated=Decimal("-12.30"),
        realisable=Realisable(None, "no prices of nodes"),
        evidence={},
        confidence=Confidence.HIGH,
        verdict=Verdict.SAFE,
        blast_radius="",
        risks=(),
        undo="revert",
    )
    told = recommendation_json(found)
    assert told["changes"][0]["path"] == ["containers", 0, "image"]
    assert told["allocated"] == "-12.30"
    assert told["realisable"]["monthly"] is None
