"""Draws comments as GitHub would show them, light and dark, and takes their picture with Chromium.

For the README, the comment of `make demo`; for our own eyes, any file that `--format markdown` wrote:

    python scripts/screenshot_comment.py demo --image docs/images/comment.png
    python scripts/screenshot_comment.py comment.md --image phone.png --width 400 --theme both
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.app import DiffOptions, price  # noqa: E402 - the checkout, before any installed copy
from bot.comment import render_comment  # noqa: E402
from bot.demo.story import make_sample  # noqa: E402

DOTS = {"🔴": "#d1242f", "🟠": "#e16f24", "⚪": "#afb8c1", "🟢": "#2da44e"}
"""Drawn, since a machine without an emoji font shows boxes."""
LIGHT = "--page: #f6f8fa; --card: #fff; --text: #1f2328; --soft: #59636e; --line: #d1d9e0;"
LIGHT += "--code: #818b981f; --link: #0969da"
DARK = "--page: #010409; --card: #0d1117; --text: #f0f6fc; --soft: #9198a1; --line: #3d444d;"
DARK += "--code: #656c7633; --link: #4493f8"
STYLE = """
body { margin: 0; font: 14px/1.5 "Liberation Sans", Arial, sans-serif }
.theme { background: var(--page); color: var(--text); padding: 20px }
.card { width: %(width)spx; margin: auto; padding: 16px; box-sizing: border-box;
  background: var(--card); border: 1px solid var(--line); border-radius: 6px }
.card > :last-child { margin-bottom: 0 }
a { color: var(--link); text-decoration: none }
p, details, table, ul { margin: 0 0 16px }
ul { padding-left: 2em }
sub { font-size: 75%%; color: var(--soft); vertical-align: baseline }
code { font: 85%% "Liberation Mono", monospace; background: var(--code); border-radius: 6px;
  padding: .2em .4em; white-space: break-spaces }
summary { margin-bottom: 8px }
table { border-collapse: collapse; display: block; width: max-content; max-width: 100%%; overflow: auto }
th, td { border: 1px solid var(--line); padding: 6px 13px }
i { font: normal 125%%/1 "DejaVu Sans", sans-serif; vertical-align: -.05em }
"""


def page(comments: list[str], *, width: int, themes: list[str], unfolded: bool) -> str:
    """An HTML page with every comment in every theme. GitHub breaks lines in comments; so does this."""
    markdown = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable("table")
    body = ""
    for theme in themes:
        cards = "".join(f'<div class="card">{markdown.render(comment)}</div><br>' for comment in comments)
        body += f'<div class="theme" style="{theme}">{cards}</div>'
    for dot, colour in DOTS.items():
        body = body.replace(dot, f'<i style="color:{colour}">●</i>')
    if unfolded:
        body = body.replace("<details>", "<details open>")
    return f'<!doctype html><meta charset="utf-8"><style>{STYLE % {"width": width}}</style>{body}'


def demo_comment() -> str:
    """What the bot would write on the demo's pull request."""
    with tempfile.TemporaryDirectory() as folder:
        sample = make_sample(Path(folder, "demo"))
        priced = price(
            DiffOptions(base=sample.base, head=sample.head, repo=sample.repository, usage=sample.recording)
        )
    address = "https://git.example/acme/shop/blob/{}/{}#L{}"
    return render_comment(
        priced.report,
        links=lambda source, side: address.format(
            priced.report.head if side == "after" else priced.report.base, source.file, source.line
        ),
        crossed=priced.crossed,
    )


def picture(html: str, image: Path, *, width: int) -> None:
    """Save what Chromium shows of `html`, as high as that is."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("This needs Chromium or Chrome on PATH.")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "comment.html")
        source.write_text(f"{html}<script>document.title=document.body.offsetHeight</script>", "utf-8")
        quiet = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
        quiet += ["--disable-component-update", "--disable-sync", "--hide-scrollbars", "--no-sandbox"]
        command = [chromium, "--headless", *quiet, f"--user-data-dir={folder}/profile"]

        def run(*options: str) -> str:
            ran = subprocess.run(
                [*command, *options, source.as_uri()], check=True, capture_output=True, text=True, timeout=60
            )
            return ran.stdout

        drawn = re.search(r"<title>(\d+)</title>", run("--dump-dom", f"--window-size={width},900"))
        height = min(int(drawn[1]) if drawn else 900, 15_000)
        run(f"--screenshot={image.resolve()}", f"--window-size={width},{height}")


def main() -> None:
    """Read the command line, draw, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("comments", nargs="+", help="demo, or a file of Markdown")
    parser.add_argument("--image", type=Path, required=True)
    parser.add_argument("--width", type=int, default=880)
    parser.add_argument("--theme", choices=["light", "dark", "both"], default="light")
    parser.add_argument("--unfolded", action="store_true", help="open every collapsed part")
    arguments = parser.parse_args()
    comments = [
        demo_comment() if name == "demo" else Path(name).read_text("utf-8") for name in arguments.comments
    ]
    themes = {"light": [LIGHT], "dark": [DARK], "both": [LIGHT, DARK]}[arguments.theme]
    html = page(comments, width=arguments.width, themes=themes, unfolded=arguments.unfolded)
    picture(html, arguments.image, width=arguments.width + 40)


if __name__ == "__main__":
    main()
