"""`tuppence serve --config`: each environment is priced and judged with the cluster that it runs on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.bots import reported, running, shop, wait_for
from tests.end_to_end.commands import tuppence
from tests.end_to_end.repositories import deployment
from tests.github.service import GitHub
from tests.several_clusters import several_clusters

POLICY = """
environments:
  - {name: production, paths: [production], cluster: prod-eu}
  - {name: staging, paths: [staging], cluster: staging}
  - {name: lab, paths: [lab], cluster: moon}
"""
SHEET = "currency: USD\nas_of: 2026-11-01\ndefault: {cpu_core_hour: 1, memory_gib_hour: 0}\n"
PLACES = ("production", "staging", "lab")


def test_an_environments_cluster_decides_usage_and_prices(hub: GitHub, tmp_path: Path) -> None:
    """By selector, by address and by price sheet; a cluster that nobody knows is told, and judged by nothing."""
    before = deployment(replicas=3, memory="512Mi", limit="2Gi")
    after = before.replace("cpu: 500m", "cpu: 1500m").replace("memory: 2Gi", "memory: 600Mi")
    with several_clusters(tmp_path / "prometheus") as servers:
        (tmp_path / "eu.yaml").write_text(SHEET)
        config = tmp_path / "tuppence.yaml"
        config.write_text(servers.config("eu.yaml"))
        with running(hub, tmp_path, options=["--config", str(config)]) as bot:
            repository = shop(
                hub, {".tuppence.yaml": POLICY, **{f"{one}/api.yaml": before for one in PLACES}}
            )
            pull = hub.people.open_pull(repository, {f"{one}/api.yaml": after for one in PLACES})
            wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)
            [comment] = hub.comments(repository, pull)

    lines = comment.body.replace("\xa0", " ").splitlines()
    rows = {place: line for place in PLACES for line in lines if f"| {place} |" in line}
    assert "peak 700 MiB" in rows["production"]
    assert "600Mi is below" in rows["production"]
    assert "+$2,190" in rows["production"]
    assert "peak 350 MiB" in rows["staging"]
    assert "+$87.60" in rows["staging"]
    assert "no usage history" in rows["lab"]
    assert (
        "no live numbers: the policy names the cluster 'moon', which the server does not know" in comment.body
    )
    assert "price sheet eu.yaml" in comment.body


@pytest.mark.parametrize("more", [(), ("--dry-run",)], ids=["serve", "dry run"])
def test_a_file_that_cannot_be_used_ends_it_at_once(tmp_path: Path, more: tuple[str, ...]) -> None:
    """Every problem of it and of its price sheets, a line each."""
    config = tmp_path / "tuppence.yaml"
    (tmp_path / "sheet.yaml").write_text(
        "currency: USD\nas_of: 2026-11-01\ndefault: {cpu_core_hour: x, memory_gib_hour: 0}\n"
    )
    config.write_text("clusters:\n- {name: a, prices: sheet.yaml}\n- {name: a}\nretention_days: soon\n")
    ran = tuppence("serve", "--config", config, *more)

    assert (ran.status, ran.out) == (2, "")
    first, second, third = ran.err.splitlines()
    assert first.startswith(
        f"tuppence: {config}:2: clusters[0].prices: {tmp_path}/sheet.yaml:3: default.cpu_core_hour: "
    )
    assert second == f"{config}:3: clusters[1].name: 'a' is on line 2 already"
    assert third.startswith(f"{config}:4: retention_days: needs a plain number")


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    """Without the option, it need not be."""
    ran = tuppence("serve", "--config", tmp_path / "none.yaml")
    assert (ran.status, ran.out) == (2, "")
    assert "none.yaml: cannot be read: No such file or directory" in ran.err
    assert "nothing to serve" in tuppence("serve").err
