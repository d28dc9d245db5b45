"""Draws messages, modals and Home tabs as Slack would show them, and takes their picture with Chromium.

Each file has one message as `chat.postMessage` takes it, one view, or a list of blocks, in JSON:

    python scripts/screenshot_slack.py answer.json --image answer.png --theme both
    python scripts/screenshot_slack.py answer.json --image answer.png --file F1=chart.png
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.screenshot_comment import picture  # noqa: E402 - the checkout, before any installed copy
from tests.slack.blocks import message_problems, view_problems  # noqa: E402
from tests.slack.page import page  # noqa: E402


def read(path: Path) -> dict[str, Any]:
    """The message or view in a file; what Slack would refuse is said on stderr."""
    found = json.loads(path.read_text("utf-8"))
    thing: dict[str, Any] = {"blocks": found} if isinstance(found, list) else found
    kind = thing.get("type")
    if kind in ("modal", "home"):
        problems = view_problems(thing, kind)
    else:
        problems = message_problems(thing.get("blocks"), thing.get("attachments"))
    for problem in problems:
        sys.stderr.write(f"{path}: {problem}\n")
    return thing


def main() -> None:
    """Read the command line, draw, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("messages", nargs="+", type=Path)
    parser.add_argument("--image", type=Path, required=True)
    parser.add_argument("--width", type=int, default=680)
    parser.add_argument("--theme", choices=["light", "dark", "both"], default="light")
    parser.add_argument(
        "--file", action="append", default=[], metavar="ID=PATH", help="bytes of a slack_file or image_url"
    )
    arguments = parser.parse_args()
    pairs = (entry.rpartition("=") for entry in arguments.file)
    images = {name: Path(path).read_bytes() for name, _, path in pairs}
    things = [read(path) for path in arguments.messages]
    html = page(things, theme=arguments.theme, width=arguments.width, images=images)
    picture(html, arguments.image, width=arguments.width + 60)


if __name__ == "__main__":
    main()
