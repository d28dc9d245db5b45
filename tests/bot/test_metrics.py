"""What the worker counts, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.errors import StoreUnavailable
from bot.metrics import WorkMetrics
from bot.records import Undone

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def series(metrics: WorkMetrics) -> dict[tuple[str, ...], float]:
    """Each series by its name and the values of its labels, those in the order of their names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def work_metrics(undone: Iterable[Undone] = ()) -> WorkMetrics:
    """At noon."""
    return WorkMetrics(lambda: undone, clock=NOW.timestamp)


def test_steps_are_counted_by_outcome_and_timed() -> None:
    """One that fails is raised on."""
    metrics = work_metrics()

    def halve(number: int) -> float:
        return 1 / number

    step = metrics.watched("analyse", halve)
    assert step(2) == 0.5
    with pytest.raises(ZeroDivisionError):
        step(0)

    told = series(metrics)
    assert told["tuppence_steps_total", "done", "analyse"] == 1
    assert told["tuppence_steps_total", "failed", "analyse"] == 1
    assert told["tuppence_step_seconds_count", "analyse"] == 2


def test_answers_of_github_are_counted_by_class_with_what_is_left() -> None:
    """An odd header changes nothing."""
    metrics = work_metrics()
    for status, remaining in ((200, "4999"), (204, "4998"), (403, "x"), (502, ""), (0, "1" * 400)):
        metrics.github_answered(7, status, {"x-ratelimit-remaining": remaining})

    told = series(metrics)
    counted = {key[1]: value for key, value in told.items() if key[0] == "tuppence_github_requests_total"}
    assert counted == {"2xx": 2, "4xx": 1, "5xx": 1, "none": 1}
    assert told["tuppence_github_rate_limit_remaining", "7"] == 4998


def test_undone_work_is_told_with_the_age_of_the_oldest() -> None:
    """Whatever queue it is in."""
    told = series(
        work_metrics(
            [
                Undone("events", "waiting", 3, NOW.replace(hour=11)),
                Undone("pull-requests", "begun", 2, NOW.replace(hour=10)),
            ]
        )
    )

    assert told["tuppence_work", "events", "waiting"] == 3
    assert told["tuppence_work", "pull-requests", "begun"] == 2
    assert told["tuppence_oldest_work_seconds",] == 7200


def test_no_work_has_no_age() -> None:
    """And the gauge is there."""
    assert series(work_metrics())["tuppence_oldest_work_seconds",] == 0


def test_where_the_database_does_not_answer_the_rest_is_told() -> None:
    """A count that is not known is not zero."""

    def undone() -> Iterable[Undone]:
        raise StoreUnavailable("the database is away")

    told = series(WorkMetrics(undone))
    assert not [key for key in told if key[0] in {"tuppence_work", "tuppence_oldest_work_seconds"}]
    assert told["tuppence_worker_process_start_time_seconds",] > 0
