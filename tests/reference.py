"""The parts of docs/ that are written from the product's own tables: `make reference` writes them anew.

A page holds `<!-- reference NAME -->` and `<!-- end of reference -->`; what stands between them is
generated, everything else on the page is written by hand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from bot.adapters.price_sheet import PRICE_KEYS
from bot.comment_commands import COMMANDS
from bot.configuration import Key, every_key, json_schema
from bot.cost_commands import COMMANDS as COST_COMMANDS
from bot.cost_commands import OPTIONS, WINDOWS
from bot.entrypoints.cli import cli
from bot.policy import POLICY_KEYS
from bot.server_keys import SERVER_KEYS
from bot.settings_table import SETTINGS
from estimators.rules import RULE_TEXTS

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
SCHEMA = ROOT / "bot" / "data" / "tuppence-policy.schema.json"
_PART = re.compile(r"(<!-- reference ([\w -]+) -->\n)(.*?)(<!-- end of reference -->)", re.DOTALL)


def commands(group: click.Group = cli, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command under its full name, such as `usage export`."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def keys(table: tuple[Key, ...]) -> str:
    """A row for each key: its full name, what it may be, what it means."""
    return _table(
        ("Key", "Value", "Meaning"),
        (
            (
                f"`{name}`",
                key.kind.name if key.kind else "",
                key.meaning + (" Required." if key.required else ""),
            )
            for name, key in every_key(table)
        ),
    )


def settings() -> str:
    """A row for each environment variable."""
    return _table(
        ("Variable", "Meaning", "When unset"),
        (
            (f"`{one.name}`" + (f", `{one.name}_FILE`" if one.secret else ""), one.meaning, one.default)
            for one in SETTINGS
        ),
    )


def rules() -> str:
    """A row for each rule."""
    return _table(
        ("Rule", "Severity", "Says that"),
        ((f"`{rule.id}`", ", ".join(rule.severities), rule.text) for rule in RULE_TEXTS),
    )


def comment_commands() -> str:
    """A row for each command that a comment may hold."""
    return _table(("Command", "What it does"), ((f"`{one.usage}`", one.meaning) for one in COMMANDS))


def cost_questions() -> str:
    """A row for each question about cost."""
    rows = (
        (f"`{f'{one.name} {one.argument}'.strip()}`", one.meaning, f"`{f'{one.name} {one.example}'.strip()}`")
        for one in COST_COMMANDS
    )
    return _table(("Question", "Asks about", "For example"), rows)


def cost_windows() -> str:
    """A row for each window and option of a question about cost."""
    return _table(("Word", "Meaning"), ((f"`{one.name}`", one.meaning) for one in (*WINDOWS, *OPTIONS)))


def command(name: str) -> str:
    """How a command is called and a row for each option."""
    found = dict(commands())[name]
    context = click.Context(found, info_name=f"tuppence {name}")
    text = f"```\n{' '.join(found.get_usage(context).removeprefix('Usage: ').split())}\n```\n"
    options = [
        option
        for option in found.get_params(context)
        if isinstance(option, click.Option) and "--help" not in option.opts
    ]
    if not options:
        return text
    rows = (option.get_help_record(context) or ("", "") for option in options)
    return f"{text}\n{_table(('Option', 'Meaning'), ((f'`{name}`', meaning) for name, meaning in rows))}"


def generated(name: str) -> str:
    """The text of the part called `name`."""
    whole = {
        "comment commands": comment_commands,
        "cost questions": cost_questions,
        "cost windows": cost_windows,
        "policy": lambda: keys(POLICY_KEYS),
        "prices": lambda: keys(PRICE_KEYS),
        "server": lambda: keys(SERVER_KEYS),
        "settings": settings,
        "rules": rules,
    }
    return whole[name]() if name in whole else command(name.removeprefix("command "))


def refreshed(page: str) -> str:
    """The page with every generated part as it should be."""
    return _PART.sub(lambda part: f"{part[1]}\n{generated(part[2])}\n{part[4]}", page)


def parts(page: str) -> list[str]:
    """The names of a page's generated parts."""
    return [part[2] for part in _PART.finditer(page)]


def schema() -> str:
    """The JSON Schema of `.tuppence.yaml`, as it is published."""
    return json.dumps(json_schema(POLICY_KEYS, "Tuppence policy, .tuppence.yaml"), indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(schema(), encoding="utf-8")
    for path in PAGES:
        path.write_text(refreshed(path.read_text(encoding="utf-8")), encoding="utf-8")
