"""The bot names settings where the command line names options."""

import ast
from pathlib import Path

import pytest

import estimators
from bot import adapters
from bot.inert import md, phrases
from bot.server_words import as_the_bot_says
from estimators.replicas import ASK_FOR_LABELS, ASK_FOR_NODES, ASK_FOR_USAGE
from estimators.rules.words import ADD_HISTORY, ADD_NODES
from estimators.sides import ASK_FOR_LIVE

OF_KUBE_STATE_METRICS = "--metric-labels-allowlist"


def _sentences_with_options() -> list[str]:
    """Every text of the estimators, and of what reads Prometheus, that names an option of a program."""
    files = [
        *Path(estimators.__file__).parent.rglob("*.py"),
        *Path(adapters.__file__).parent.glob("prom*.py"),
    ]
    found = {
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " --" in node.value
    }
    return sorted(found)


@pytest.mark.parametrize("written", [str, md, phrases], ids=["plain", "Markdown", "narrow"])
@pytest.mark.parametrize(
    "said",
    [
        ASK_FOR_USAGE,
        ASK_FOR_NODES,
        ASK_FOR_LABELS.replace(OF_KUBE_STATE_METRICS, ""),
        ADD_NODES,
        ASK_FOR_LIVE,
        f"no finished run in the usage history: {ADD_HISTORY} with a longer --window",
        "no history: a kube context tells what runs now, add --prometheus URL for what was used",
        "check that Prometheus has its namespace, or add it to --usage FILE",
    ],
)
def test_no_option_is_left_in_what_the_bot_says(said: str, written: type[str]) -> None:
    """However the text is written, and it never gets longer, so that what fitted still fits."""
    told = as_the_bot_says(written(said))
    assert "--" not in told
    assert len(told) <= len(written(said)) + 2


@pytest.mark.parametrize("said", _sentences_with_options())
def test_every_sentence_is_known(said: str) -> None:
    """A new one that names an option has to be told to the bot as well."""
    if said.strip() != "with a longer --window":  # a part of a sentence that is tested whole above
        assert "--" not in as_the_bot_says(said).replace(OF_KUBE_STATE_METRICS, "")


def test_other_text_stays_as_it_is() -> None:
    """Two dashes in a stranger's name are no option."""
    assert as_the_bot_says("add --color always") == "add --color always"
