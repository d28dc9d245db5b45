"""Path patterns: what they match, and that none runs away."""

from __future__ import annotations

import time

import pytest

from bot.globs import matches


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("clusters/prod/**", "clusters/prod/app/web.yaml", True),
        ("clusters/prod", "clusters/prod/app/web.yaml", True),
        ("clusters/prod/", "clusters/prod/app/web.yaml", True),
        ("clusters/prod", "clusters/production/web.yaml", False),
        ("clusters/*/web.yaml", "clusters/prod/web.yaml", True),
        ("clusters/*/web.yaml", "clusters/prod/app/web.yaml", False),
        ("**/overlays/prod/**", "overlays/prod/a.yaml", True),
        ("**/overlays/prod/**", "apps/web/overlays/prod/a.yaml", True),
        ("**/overlays/prod/**", "apps/web/overlays/staging/a.yaml", False),
        ("**", "a/b/c.yaml", True),
        ("**/*.md", "README.md", True),
        ("*.md", "docs/README.md", False),
        ("values-[ps]*.yaml", "values-prod.yaml", True),
        ("values-?.yaml", "values-prod.yaml", False),
        ("A/b", "a/b", False),
        ("a/**/z", "a/z", True),
        ("a/**/z", "a/b/c/z", True),
        ("a/**/z", "a/b/c/y", False),
    ],
)
def test_a_pattern_matches_paths_from_the_root(pattern: str, path: str, fits: bool) -> None:
    """One star stays inside a folder, two cross folders, and a folder stands for all in it."""
    assert matches(pattern, path) is fits


@pytest.mark.parametrize("pattern", ["**/" * 60 + "x", "/".join(["**", "*a*"] * 30) + "/z", "*a" * 90])
def test_no_pattern_runs_away(pattern: str) -> None:
    """A stranger's pattern on a deep path is still answered at once."""
    began = time.process_time()
    assert not matches(pattern, "/".join(["a" * 60] * 60) + "b/y")
    assert time.process_time() - began < 1
