"""The keys of `tuppence.yaml`; bot/server_config.py makes a typed configuration of them."""

from __future__ import annotations

from bot.configuration import Key
from bot.value_kinds import (
    DAYS,
    FILE_ON_DISK,
    GITHUB_TEAM,
    GLOB,
    GLOBS_BY_NAME,
    MONEY,
    PERCENT,
    PERCENTS_BY_GLOB,
    SLACK_USER,
    TEXT,
    TEXTS_BY_NAME,
    TIME,
    TIME_ZONE,
    URL,
    one_of,
)

RETENTION_DAYS = 730
"""Two years: whoever audits a year finds all of it until the end of the next one."""

SERVER_KEYS = (
    Key(
        "clusters",
        "The clusters that environments run on; the first is that of environments that name none.",
        many=True,
        keys=(
            Key("name", "What policies call the cluster.", TEXT, required=True, unique=True),
            Key(
                "prometheus",
                "Where its utilisation is read.",
                keys=(
                    Key("url", "Its Prometheus, Thanos, Mimir or VictoriaMetrics.", URL, required=True),
                    Key("selector", "Labels that tell the cluster from others there.", TEXTS_BY_NAME),
                    Key("headers", "Headers that are no secret, such as a Mimir tenant.", TEXTS_BY_NAME),
                ),
            ),
            Key("prices", "Its price sheet; the path counts from this file.", FILE_ON_DISK),
            Key("kube_context", "The kube context that reaches it, for live facts and labels.", TEXT),
        ),
    ),
    Key(
        "teams",
        "Who owns which workloads.",
        many=True,
        keys=(
            Key("name", "What the team is called.", TEXT, required=True, unique=True),
            Key("namespaces", "Namespaces that are the team's.", GLOB, many=True),
            Key("labels", "Labels that make a workload the team's.", TEXTS_BY_NAME),
            Key("channel", "The id of the team's Slack channel, such as `C0123ABCD`.", TEXT),
            Key(
                "approvers",
                "Who may approve for the team.",
                keys=(
                    Key("slack_group", "A Slack user group: its handle or id.", TEXT),
                    Key("slack_users", "People, also where there are no groups.", SLACK_USER, many=True),
                    Key("github_team", "A GitHub team, such as `acme/payments`.", GITHUB_TEAM),
                ),
            ),
            Key("budget_monthly", "What the team means to spend, in the prices' currency.", MONEY),
        ),
    ),
    Key(
        "digest",
        "When the weekly digest goes out.",
        keys=(
            Key(
                "day",
                "The day of the week; `mon` when left out.",
                one_of("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
            ),
            Key("time", "The time of day, in quotes; `09:00` when left out.", TIME),
            Key("time_zone", "The time zone of both; `UTC` when left out.", TIME_ZONE),
            Key(
                "finance_channel",
                "The id of the Slack channel of the digest over all teams; none when left out.",
                TEXT,
            ),
        ),
    ),
    Key("access", "The namespaces that a Slack group may ask about.", GLOBS_BY_NAME),
    Key(
        "people",
        "GitHub logins by Slack user id, for the pull requests on somebody's Home tab.",
        TEXTS_BY_NAME,
    ),
    Key(
        "ownership",
        "Labels or annotations that say whose a workload is; of each list the first with a value counts.",
        keys=(
            Key("team", "Of the team, before the namespaces of `teams`.", TEXT, many=True),
            Key("application", "Of the application.", TEXT, many=True),
            Key("environment", "Of the environment.", TEXT, many=True),
            Key("business_unit", "Of the business unit.", TEXT, many=True),
        ),
    ),
    Key(
        "shared",
        "Costs that everybody shares.",
        keys=(
            Key("namespaces", "Namespaces that serve everybody.", GLOB, many=True),
            Key(
                "split",
                "How their cost is shared out; `proportional` when left out.",
                one_of("proportional", "even", "fixed", "central"),
            ),
            Key(
                "percents",
                "What namespaces pay of it where the split is `fixed`; what is left stays central.",
                PERCENTS_BY_GLOB,
            ),
        ),
    ),
    Key(
        "repositories",
        "Where savings are looked for, such as `acme/*`; everywhere the App is installed when left out.",
        GLOB,
        many=True,
    ),
    Key(
        "automation",
        "Savings whose pull request is opened without a click; it is never merged without one.",
        many=True,
        keys=(
            Key("environments", "The environments it holds for.", GLOB, many=True, required=True),
            Key(
                "changes",
                "Which changes.",
                one_of("cpu-request", "memory-request", "replicas", "autoscaling"),
                many=True,
                required=True,
            ),
            Key("max_percent", "The largest cut, of the current value.", PERCENT),
            Key("min_confidence", "The least confidence.", one_of("low", "medium", "high")),
        ),
    ),
    Key(
        "retention_days",
        f"How long records are kept; {RETENTION_DAYS} when left out, 0 for ever.",
        DAYS,
    ),
)
