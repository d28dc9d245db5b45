"""The environment variables that are read; bot/settings.py reads them, docs/settings.md describes them."""

from __future__ import annotations

from typing import NamedTuple

DATABASE_URL = "sqlite:///tuppence.db"
GITHUB = "https://api.github.com"
SLACK = "https://slack.com/api/"


class Setting(NamedTuple):
    """One environment variable, as docs/settings.md describes it."""

    name: str
    meaning: str
    secret: bool = False
    default: str = ""


SETTINGS = (
    Setting(
        "TUPPENCE_DATABASE_URL",
        "The database of the bot's records: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`.",
        secret=True,
        default=f"`{DATABASE_URL}`",
    ),
    Setting("PROMETHEUS_URL", "The Prometheus to read live utilisation from; a path prefix is fine."),
    Setting("PROMETHEUS_TOKEN", "A bearer token for it.", secret=True),
    Setting(
        "PROMETHEUS_TOKEN_<CLUSTER>",
        "The bearer token for a cluster of `tuppence.yaml`: `PROMETHEUS_TOKEN_PROD_EU` is for `prod-eu`.",
        secret=True,
        default="`PROMETHEUS_TOKEN`",
    ),
    Setting("PROMETHEUS_USERNAME", "The user of HTTP basic authentication; needs the password as well."),
    Setting("PROMETHEUS_PASSWORD", "The password of HTTP basic authentication.", secret=True),
    Setting(
        "PROMETHEUS_HEADERS",
        "More headers, one `Name: value` a line, such as `X-Scope-OrgID: team-a` for Mimir.",
        secret=True,
    ),
    Setting("PROMETHEUS_CA_FILE", "The certificates (PEM) that its TLS certificate is checked against."),
    Setting(
        "KUBERNETES_API_URL",
        "The Kubernetes API to ask, instead of the one that the kube context names.",
    ),
    Setting("TUPPENCE_HOST", "The address `tuppence serve` listens on.", default="`127.0.0.1`"),
    Setting("TUPPENCE_PORT", "The port it listens on.", default="`8080`"),
    Setting("GITHUB_APP_ID", "The GitHub App's id; needs its private key and webhook secret as well."),
    Setting("GITHUB_APP_PRIVATE_KEY", "The GitHub App's private key (PEM).", secret=True),
    Setting(
        "GITHUB_WEBHOOK_SECRET",
        "The secret that deliveries are signed with; while it is being changed both, a line each.",
        secret=True,
    ),
    Setting(
        "GITHUB_API_URL",
        "The API of GitHub Enterprise Server, or of a local peer.",
        default=f"`{GITHUB}`",
    ),
    Setting("GITHUB_CLONE_URL", "The base of clone URLs, where the event's own cannot be used."),
    Setting(
        "SLACK_BOT_TOKEN",
        "The Slack app's bot token; needs the signing secret or the app token as well.",
        secret=True,
    ),
    Setting("SLACK_SIGNING_SECRET", "The secret that Slack signs its requests with.", secret=True),
    Setting(
        "SLACK_APP_TOKEN",
        "The app-level token, with which the bot calls Slack instead of being called (Socket Mode).",
        secret=True,
    ),
    Setting("SLACK_API_URL", "The base of Slack's Web API, or of a local peer.", default=f"`{SLACK}`"),
    Setting(
        "XDG_CACHE_HOME",
        "Where caches are kept, in a folder `tuppence`.",
        default="`~/.cache`",
    ),
)
