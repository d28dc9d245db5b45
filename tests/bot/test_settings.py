"""Settings come from the environment, and secrets never go anywhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import UserError
from bot.settings import (
    LONGEST_SECRET,
    ServeSettings,
    Settings,
    SlackSettings,
    from_env,
    secrets_of,
    serving_from_env,
)
from bot.settings_table import SETTINGS

SECRET = "s3cret-value"


def test_nothing_set_is_fine() -> None:
    """Every setting is optional."""
    settings = from_env({})
    assert settings.prometheus.url == ""
    assert settings.prometheus.basic_auth is None
    assert settings.cache.name == "tuppence"


def test_everything_arrives(tmp_path: Path) -> None:
    """Each variable in its place; basic authentication instead of a token."""
    ca_file = tmp_path / "ca.pem"
    ca_file.touch()
    settings = from_env(
        {
            "PROMETHEUS_URL": "https://metrics.example/prom",
            "PROMETHEUS_USERNAME": "reader",
            "PROMETHEUS_PASSWORD": SECRET,
            "PROMETHEUS_HEADERS": "X-Scope-OrgID: team-a|team-b\n\nX-Other: a:b",
            "PROMETHEUS_CA_FILE": str(ca_file),
            "KUBERNETES_API_URL": "http://127.0.0.1:8001",
            "XDG_CACHE_HOME": str(tmp_path),
        }
    )
    assert settings.prometheus.url == "https://metrics.example/prom"
    assert settings.prometheus.basic_auth == ("reader", SECRET)
    assert settings.prometheus.headers == {"X-Scope-OrgID": "team-a|team-b", "X-Other": "a:b"}
    assert settings.prometheus.ca_file == ca_file
    assert settings.kubernetes_api_url == "http://127.0.0.1:8001"
    assert settings.cache == tmp_path / "tuppence"


BESIDE = {
    "GITHUB_APP_ID": "7",
    "GITHUB_APP_PRIVATE_KEY": "k",
    "GITHUB_WEBHOOK_SECRET": "w",
    "SLACK_BOT_TOKEN": "b",
    "SLACK_SIGNING_SECRET": "s",
}


def everything(environment: dict[str, str]) -> tuple[Settings, ServeSettings]:
    """What commands and the server make of it; a password comes with its user."""
    if any("PASSWORD" in name for name in environment):
        environment = {"PROMETHEUS_USERNAME": "reader", **environment}
    return from_env(environment), serving_from_env(environment)


@pytest.mark.parametrize("name", [setting.name for setting in SETTINGS if setting.secret])
def test_a_secret_is_never_shown(name: str, tmp_path: Path) -> None:
    """Not by repr, whether it came from the variable or from a file; the file's last newline is dropped."""
    file = tmp_path / "secret"
    file.write_text(f"X: {SECRET}\n" if name.endswith("HEADERS") else f"{SECRET}\n")
    from_variable = everything({**BESIDE, name: file.read_text()})
    from_file = everything(
        {key: value for key, value in BESIDE.items() if key != name} | {f"{name}_FILE": str(file)}
    )
    assert from_variable == from_file
    assert from_file != everything(BESIDE)
    assert SECRET not in repr(from_file)


def test_a_cluster_may_have_a_token_of_its_own(tmp_path: Path) -> None:
    """In a variable or in a file, by how the variable ends; each of them is redacted."""
    file = tmp_path / "token"
    file.write_text("of-staging\n")
    environment = {
        "PROMETHEUS_TOKEN": "of-all",
        "PROMETHEUS_TOKEN_PROD_EU": "of-prod",
        "PROMETHEUS_TOKEN_STAGING_FILE": str(file),
    }
    settings, serving = everything({**BESIDE, **environment})
    assert settings.prometheus.token == "of-all"
    assert settings.prometheus.tokens == {"PROD_EU": "of-prod", "STAGING": "of-staging"}
    assert {"of-all", "of-prod", "of-staging", "k", "w", "b", "s"} <= set(secrets_of(settings, serving))


def test_a_password_in_the_url_is_never_shown() -> None:
    """Some put it there."""
    assert SECRET not in repr(from_env({"PROMETHEUS_URL": f"http://reader:{SECRET}@localhost:9090"}))


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("PROMETHEUS_URL", "https://reader:s3cret%2Dvalue@metrics.example"),
        ("TUPPENCE_DATABASE_URL", "postgresql+psycopg://bot:s3cret%2Dvalue@db/tuppence"),
        ("TUPPENCE_DATABASE_URL", "postgresql+psycopg://bot@db/tuppence?password=s3cret%2Dvalue"),
    ],
)
def test_a_password_in_an_address_may_stand_in_no_log(name: str, address: str) -> None:
    """Where a driver's error quotes it alone."""
    settings, serving = everything({**BESIDE, name: address})
    assert SECRET in secrets_of(settings, serving)


def problems(environment: dict[str, str]) -> list[str]:
    """What is said about `environment`; a secret is never in it."""
    with pytest.raises(UserError) as caught:
        from_env(environment)
    assert SECRET not in str(caught.value)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        pytest.param(
            {"PROMETHEUS_USERNAME": "reader"},
            "PROMETHEUS_USERNAME and PROMETHEUS_PASSWORD are set together or not at all",
            id="no password",
        ),
        pytest.param(
            {"PROMETHEUS_TOKEN": SECRET, "PROMETHEUS_USERNAME": "a", "PROMETHEUS_PASSWORD": SECRET},
            "PROMETHEUS_TOKEN and PROMETHEUS_USERNAME are both set: Prometheus takes one of them",
            id="two ways in",
        ),
        pytest.param(
            {"PROMETHEUS_TOKEN": f"{SECRET}\nX-Evil: 1"},
            "PROMETHEUS_TOKEN may not hold spaces or line breaks",
            id="a header in the token",
        ),
        pytest.param(
            {"PROMETHEUS_TOKEN_PROD": f"{SECRET}\nX-Evil: 1"},
            "PROMETHEUS_TOKEN_PROD may not hold spaces or line breaks",
            id="a header in a cluster's token",
        ),
        pytest.param(
            {"PROMETHEUS_TOKEN_FILE": "/nowhere"},
            "PROMETHEUS_TOKEN_FILE: /nowhere cannot be read: No such file or directory",
            id="no such file",
        ),
        pytest.param(
            {"PROMETHEUS_TOKEN_FILE": "/dev/null"},
            f"PROMETHEUS_TOKEN_FILE: /dev/null is empty or larger than {LONGEST_SECRET} characters",
            id="an empty file",
        ),
        pytest.param(
            {"PROMETHEUS_TOKEN_FILE": "/dev/zero"},
            f"PROMETHEUS_TOKEN_FILE: /dev/zero is empty or larger than {LONGEST_SECRET} characters",
            id="a file without end",
        ),
        pytest.param(
            {"PROMETHEUS_HEADERS": SECRET},
            "PROMETHEUS_HEADERS: line 1 is not of the form 'Name: value'",
            id="no header",
        ),
        pytest.param(
            {"PROMETHEUS_CA_FILE": "/nowhere"},
            "PROMETHEUS_CA_FILE: /nowhere is not a file",
            id="no certificates",
        ),
    ],
)
def test_a_setting_that_cannot_work_is_told(environment: dict[str, str], said: str) -> None:
    """By its name, with the way out, and without its value."""
    assert problems(environment) == [said]


def test_a_secret_has_one_source(tmp_path: Path) -> None:
    """The variable and the file at once may disagree; and every problem is told in one go."""
    file = tmp_path / "token"
    file.write_text(SECRET)
    environment = {
        "PROMETHEUS_TOKEN": SECRET,
        "PROMETHEUS_TOKEN_FILE": str(file),
        "PROMETHEUS_CA_FILE": "/nowhere",
    }
    assert problems(environment) == [
        "PROMETHEUS_TOKEN and PROMETHEUS_TOKEN_FILE are both set: keep one",
        "PROMETHEUS_CA_FILE: /nowhere is not a file",
    ]


@pytest.mark.parametrize("value", ["", "  ", "relative/cache"])
def test_a_cache_home_that_is_no_absolute_path_is_ignored(value: str) -> None:
    """As the XDG base directory specification asks."""
    assert from_env({"XDG_CACHE_HOME": value}).cache == from_env({}).cache
    assert from_env({}).cache.is_absolute()


def test_an_empty_variable_is_an_unset_one() -> None:
    """Compose files and CI systems set empty variables."""
    assert from_env({setting.name: "" for setting in SETTINGS}) == from_env({})


def test_the_server_listens_on_loopback() -> None:
    """Where nothing is said; and neither app is set up."""
    assert serving_from_env({}) == ServeSettings("127.0.0.1", 8080, None, None)


def test_a_github_app_arrives_whole() -> None:
    """Two webhook secrets while one is being changed."""
    found = serving_from_env(
        {**BESIDE, "GITHUB_WEBHOOK_SECRET": "old\nnew", "GITHUB_API_URL": "http://127.0.0.1:9/api/v3"}
    )

    assert found.github is not None
    assert (found.github.app_id, found.github.webhook_secrets) == (7, ("old", "new"))
    assert found.github.api_url == "http://127.0.0.1:9/api/v3"


def test_a_slack_app_arrives_whole() -> None:
    """With Socket Mode no secret is needed, since nobody calls; the address of the API ends in a slash."""
    found = serving_from_env(
        {"SLACK_BOT_TOKEN": "b", "SLACK_APP_TOKEN": "a", "SLACK_API_URL": "http://127.0.0.1:9/api"}
    )

    assert found.slack == SlackSettings("b", "", "a", "http://127.0.0.1:9/api/")


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        pytest.param({"SLACK_BOT_TOKEN": "b"}, "SLACK_SIGNING_SECRET: not set; .* or SLACK_APP_TOKEN", id="nobody can call"),
        pytest.param({"SLACK_SIGNING_SECRET": "s"}, "SLACK_BOT_TOKEN: not set", id="no bot token"),
        pytest.param({"SLACK_BOT_TOKEN": "b c", "SLACK_APP_TOKEN": "a"}, "SLACK_BOT_TOKEN may not hold spaces", id="two tokens"),
        pytest.param({"GITHUB_APP_ID": "7"}, "GITHUB_APP_PRIVATE_KEY and GITHUB_WEBHOOK_SECRET: not set", id="half an app"),
        pytest.param({**BESIDE, "GITHUB_APP_ID": "x"}, "GITHUB_APP_ID: 'x' is not a number", id="no number"),
        pytest.param({"TUPPENCE_PORT": "99999"}, "TUPPENCE_PORT: '99999' is not a port", id="no port"),
    ],
)  # fmt: skip
def test_half_a_configuration_is_refused(environment: dict[str, str], said: str) -> None:
    """Before anything listens."""
    with pytest.raises(UserError, match=said):
        serving_from_env(environment)


def test_other_commands_do_not_mind_half_a_github_app() -> None:
    """A CI job may have an app of its own in its environment."""
    assert from_env({"GITHUB_APP_ID": "7"}).prometheus.url == ""
