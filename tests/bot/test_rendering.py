"""Templates."""

import jinja2
import pytest

from bot import rendering
from bot.inert import Markdown


def filled_in(monkeypatch: pytest.MonkeyPatch, template: str, **facts: object) -> str:
    """A template of this test's own, in the product's environment."""
    monkeypatch.setattr(rendering._environment(), "loader", jinja2.DictLoader({"own": template}))
    rendering._environment().cache.clear()  # type: ignore[union-attr]
    try:
        return rendering.render("own", **facts)
    finally:
        rendering._environment().cache.clear()  # type: ignore[union-attr]


def test_a_text_without_a_filter_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forgotten filter lets nothing through."""
    assert filled_in(monkeypatch, "{{ name }}", name="<b>*x*") == "&lt;b&gt;\\*x\\*\n"


def test_markdown_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """And so are the results of filters and numbers."""
    assert (
        filled_in(monkeypatch, "{{ a }} {{ b | code }} {{ 3 }}", a=Markdown("**a**"), b="b*")
        == "**a** `b*` 3\n"
    )


def test_a_missing_fact_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment with a hole in it must not be sent."""
    with pytest.raises(jinja2.UndefinedError):
        filled_in(monkeypatch, "{{ name }}")
