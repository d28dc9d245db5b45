"""Templates. The only file that imports jinja2.

Every text a template shows is escaped unless it is `Markdown` already, so that a filter somebody
forgot cannot let a stranger's text through.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import jinja2

from bot import inert

_HERE = Path(__file__).resolve().parent


def render(template: str, **facts: object) -> str:
    """The named template (`github/comment.md.j2`) filled in. A missing fact is an error."""
    return _environment().get_template(template).render(**facts).strip() + "\n"


def _shown(value: object) -> object:
    return inert.md(value) if isinstance(value, str) else value


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    places = [_HERE / "templates", _HERE.parent / "templates"]
    environment = jinja2.Environment(  # noqa: S701 - HTML escaping is wrong for Markdown; _shown escapes
        loader=jinja2.FileSystemLoader(places),
        undefined=jinja2.StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters |= {
        "code": inert.code,
        "link": inert.link,
        "unbroken": inert.unbroken,
        "phrases": inert.phrases,
    }
    return environment
