"""What cannot be used is refused: exit status 2, and one line that names it and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.entrypoints.serving import listening
from tests.end_to_end.commands import process, tuppence
from tests.end_to_end.repositories import Files, Repository, write

FILES: Files = {
    "latin.yaml": b"currency: \xe9\n",
    "prices.yaml": "currency: USD\ndefault: {cpu_core_hour: dear, memory_gib_hour: 0.004}\n",
    "negative.yaml": "currency: USD\ndefault: {cpu_core_hour: -1, memory_gib_hour: 0.004}\n",
    "usage.json": '{"schema": "tuppence.usage/v1",\n "window": ]}\n',
    "other.json": '{"schema": "tuppence.usage/v9"}\n',
    "policy.yaml": "guardrails:\n  - verdict: terrible\n",
    "unknown-key.yaml": "guardrail: []\n",
    "list.yaml": "- one\n",
    "folder/file": "",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that nobody can use."""
    return write(tmp_path_factory.mktemp("unusable"), FILES)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        pytest.param("--format xml", ["--format", "'xml'", "'markdown'", "--help"], id="format"),
        pytest.param("--fail-on safe", ["--fail-on", "'safe'", "'caution'"], id="fail-on"),
        pytest.param("--window 14", ["--window", "'14'", "write 14d or 36h"], id="window without a unit"),
        pytest.param("--window 0d", ["--window", "'0d'"], id="window of nothing"),
        pytest.param("--window 99999d", ["--window", "at most 366d"], id="window of centuries"),
        pytest.param("--window \u0661\u0664d", ["--window", "'\u0661\u0664d'"], id="window in Arabic digits"),
        pytest.param("--nonsense", ["--nonsense", "--help"], id="an option that is none"),
        pytest.param("a b c", ["argument", "(c)"], id="three revisions"),
        pytest.param("--prices nowhere.yaml", ["nowhere.yaml", "No such file", "--prices"], id="no prices"),
        pytest.param("--prices latin.yaml", ["latin.yaml:1", "0xe9", "UTF-8"], id="prices in Latin-1"),
        pytest.param("--prices prices.yaml", ["prices.yaml:2", "cpu_core_hour", "'dear'"], id="a word as price"),
        pytest.param("--prices negative.yaml", ["negative.yaml:2", "cpu_core_hour", "-1"], id="a negative price"),
        pytest.param("--prices list.yaml", ["list.yaml:1"], id="a list as prices"),
        pytest.param("--prices folder", ["folder", "directory"], id="a folder as prices"),
        pytest.param("--usage nowhere.json", ["nowhere.json", "No such file"], id="no snapshot"),
        pytest.param("--usage usage.json", ["usage.json:2", "JSON", "usage export"], id="a snapshot that is no JSON"),
        pytest.param("--usage other.json", ["other.json", "tuppence.usage/v9"], id="a snapshot of the future"),
        pytest.param("--usage list.yaml", ["list.yaml:1"], id="YAML as snapshot"),
        pytest.param(
            "--usage other.json --prometheus http://localhost", ["--usage", "--prometheus"], id="two sources"
        ),
        pytest.param(["--prometheus", ""], ["''", "http://"], id="a variable that is empty"),
        pytest.param("--prometheus localhost:9090", ["'localhost:9090'", "http://"], id="an address without scheme"),
        pytest.param("--kube-context nowhere", ["kubeconfig", "$KUBECONFIG"], id="no kubeconfig"),
        pytest.param("--policy nowhere.yaml", ["nowhere.yaml", "No such file"], id="no policy"),
        pytest.param("--policy policy.yaml", ["policy.yaml:2", "verdict", "terrible"], id="a verdict that is none"),
        pytest.param("--policy unknown-key.yaml", ["unknown-key.yaml:1", "guardrails"], id="a misspelt key"),
        pytest.param("--policy list.yaml", ["list.yaml:1"], id="a list as policy"),
        pytest.param("--policy latin.yaml", ["latin.yaml", "UTF-8"], id="a policy in Latin-1"),
        pytest.param("--output folder", ["--output", "folder", "directory"], id="a folder to write to"),
        pytest.param("--output nowhere/report", ["--output", "nowhere/report"], id="nowhere to write to"),
        pytest.param("nonsense", ["'nonsense'", "git fetch"], id="an unknown revision"),
        pytest.param("v1 nonsense", ["'nonsense'"], id="an unknown head"),
        pytest.param("-- --output=stolen", ["'--output=stolen'"], id="an option of git as revision"),
        pytest.param("v1:apps", ["'v1:apps'"], id="a tree as revision"),
        pytest.param("--repo folder", ["folder", "--base-dir"], id="a folder that is no repository"),
        pytest.param("--repo nowhere", ["nowhere", "--repo"], id="no folder at all"),
        pytest.param("--base-dir folder", ["--base-dir", "--head-dir", "together"], id="one folder"),
        pytest.param("v1 --base-dir folder --head-dir folder", ["BASE"], id="folders and a revision"),
        pytest.param("--base-dir folder --head-dir list.yaml", ["list.yaml", "not a folder"], id="a file as folder"),
    ],
)  # fmt: skip
def test_diff_refuses(shop: Repository, files: Path, arguments: str | list[str], named: list[str]) -> None:
    """The line names the file or option, the place, the value, and what to write instead."""
    words = arguments.split() if isinstance(arguments, str) else arguments
    if "--repo" not in words and "--base-dir" not in words:
        words = ["--repo", str(shop.folder), *words]

    complaint = tuppence("diff", *words, cwd=files).complaint

    assert [word for word in named if word not in complaint] == [], complaint


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        pytest.param("nonsense", ["'nonsense'", "--help"], id="an unknown command"),
        pytest.param("usage export", ["--output", "usage export --help"], id="export to nowhere"),
        pytest.param("usage export --output usage", ["--prometheus", "PROMETHEUS_URL"], id="export from nowhere"),
        pytest.param(
            "usage export --output usage --prometheus http://127.0.0.1:1", ["http://127.0.0.1:1"], id="server down"
        ),
        pytest.param(
            "usage export --prometheus http://127.0.0.1:1 --output folder", ["--output folder", "name a file"],
            id="export over a folder",
        ),
        pytest.param(
            "usage export --prometheus http://127.0.0.1:1 --output no/usage", ["--output no/usage", "no folder"],
            id="export below nothing",
        ),
        pytest.param("check-config", ["FILE"], id="check nothing"),
        pytest.param("check-config nowhere.yaml", ["nowhere.yaml"], id="check no file"),
        pytest.param("init --repo nowhere", ["nowhere", "--repo"], id="init nowhere"),
        pytest.param("demo --keep .", [".", "empty"], id="a demo over somebody's files"),
        pytest.param("demo --keep list.yaml/demo", ["list.yaml/demo", "name another"], id="a demo below a file"),
    ],
)  # fmt: skip
def test_other_commands_refuse(files: Path, arguments: str, named: list[str]) -> None:
    """As `diff` does."""
    complaint = tuppence(*arguments.split(), cwd=files).complaint

    assert [word for word in named if word not in complaint] == [], complaint
    assert not (files / "usage").exists()


def test_every_problem_of_a_file_has_its_line(files: Path) -> None:
    """Nobody mends a file one run at a time."""
    write(files, {"many.yaml": "ignore: 3\nsuggestions: maybe\nprotect:\n  - {workload: api}\n"})

    for command in (("check-config",), ("diff", "--base-dir", ".", "--head-dir", ".", "--policy")):
        ran = tuppence(*command, "many.yaml", cwd=files)
        assert ran.status == 2
        assert [line.removeprefix("tuppence: ")[:12] for line in ran.err.splitlines()] == [
            "many.yaml:1:",
            "many.yaml:2:",
            "many.yaml:4:",
            "many.yaml:4:",
        ]


def test_git_missing_is_said(shop: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the way to go without it."""
    monkeypatch.setenv("PATH", "/nonexistent")

    assert "git is not on PATH" in tuppence("diff", "--repo", shop.folder).complaint


def test_a_second_bot_at_the_same_address_touches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker would take over the work of the first."""
    with listening("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        given = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "secret", "TUPPENCE_PORT": str(port)}
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        ran = process("serve", cwd=tmp_path)

    assert ran.status == 2
    assert ran.err.splitlines()[-1] == (
        f"tuppence: cannot listen on 127.0.0.1 port {port}: Address already in use; "
        "set TUPPENCE_HOST and TUPPENCE_PORT"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_process_refuses_with_status_2(shop: Repository, files: Path) -> None:
    """As any program that calls it sees."""
    ran = process("diff", "nonsense", "--repo", shop.folder, cwd=files)

    assert "'nonsense'" in ran.complaint


@pytest.mark.parametrize(("most", "status"), [(9999, 0), (1, 1)], ids=["fine", "crossed"])
def test_a_reader_that_leaves_changes_no_status(
    shop: Repository, tmp_path: Path, most: int, status: int
) -> None:
    """`tuppence diff | head -1`, whose reader has left before anything is written."""
    write(tmp_path, {"policy.yaml": f"guardrails:\n  - monthly_increase: {most}\n"})
    leave = ("bash", "-c", '{ "$@"; echo "ended with $?" >&2; } | true', "bash")
    words = ("diff", "v1", "v2", "--repo", shop.folder, "--policy", tmp_path / "policy.yaml")
    ran = process(*words, before=leave)

    assert (ran.out, ran.err) == ("", f"ended with {status}\n")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param("diff --base-dir . --head-dir .", id="a report"),
        pytest.param("check-config policy.yaml", id="a line"),
        pytest.param("--help", id="help"),
    ],
)
def test_a_full_disk_is_said(tmp_path: Path, arguments: str) -> None:
    """With status 2: 1 would say that a guardrail was crossed."""
    full = ("bash", "-c", '"$@" > /dev/full', "bash")
    write(tmp_path, {"policy.yaml": "guardrails: []\n"})
    ran = process(*arguments.split(), cwd=tmp_path, before=full)

    assert "o space left on device" in ran.complaint


def test_nobody_needs_to_listen(shop: Repository, tmp_path: Path) -> None:
    """Cron may close standard output: what goes to a file still does."""
    deaf = ("bash", "-c", '"$@" >&-', "bash")
    report = tmp_path / "report.md"
    ran = process("diff", "v1", "v2", "--repo", shop.folder, "--output", report, before=deaf)

    assert (ran.status, ran.err) == (0, "")
    assert report.stat().st_size
    assert process("diff", "v1", "v2", "--repo", shop.folder, before=deaf).status == 0


def test_help_and_version_are_at_hand() -> None:
    """Every command describes itself."""
    assert tuppence("--version").out.startswith("tuppence, version ")
    for command in ([], ["diff"], ["usage"], ["usage", "export"], ["init"], ["check-config"], ["demo"]):
        ran = tuppence(*command, "--help")
        assert (ran.status, ran.err) == (0, "")
        assert ran.out.startswith("Usage: tuppence")
    assert "Commands:" in tuppence().err
