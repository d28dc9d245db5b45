"""How often CronJobs run."""

from decimal import Decimal

import pytest

from bot.adapters.cron_runs import runs_per_month


@pytest.mark.parametrize(
    ("schedule", "runs"),
    [
        ("0 3 * * *", "30.42"), ("*/5 * * * *", "8760"), ("* * * * *", "43800"), ("@hourly", "730"), ("@daily", "30.42"),
        ("0 0 * * 1-5", "21.73"), ("0 0 1 * *", "1.0"), ("@every 1h30m", "486.67"), ("0 0 1,15 * 1", "6.02"),
        ("0 4 * * MON", "4.35"), ("0 0 29 2 *", "0.02"), ("30 2 ? * *", "30.42"), ("0 0 * JUL *", "2.58"),
    ],
)  # fmt: skip
def test_a_schedule_has_its_runs_in_an_average_month(schedule: str, runs: str) -> None:
    """Counted over four years and brought to 730 h."""
    counted = runs_per_month(schedule, "")

    assert counted is not None
    assert abs(Decimal(runs) - counted) <= Decimal("0.06")


@pytest.mark.parametrize(
    "schedule", ["", "every day", "* * * *", "61 * * * *", "0 0 31 2 *x", "@every 0s", "@reboot", "0 0 L * *"]
)
def test_what_kubernetes_refuses_has_no_count(schedule: str) -> None:
    """Unknown, never zero."""
    assert runs_per_month(schedule, "") is None
