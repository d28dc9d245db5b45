"""Many deliveries at once, about several pull requests of several accounts, some of them twice and in any order."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.end_to_end.bots import Bot, shop
from tests.end_to_end.stories import PUSHED, Scene, become_true
from tests.github.hooks import Delivery
from tests.github.service import GitHub
from tests.yaml_objects import deployment

SENDERS = 20
EVENTS = 20
"""Of each pull request: 5 heads, told in 14 events, of which 6 come twice."""
AMOUNTS = ("1", "1500m", "2", "2500m", "3")


@dataclass(frozen=True, slots=True)
class Burst:
    """What came of it: the answers by status, the seconds until all were answered and until all was true."""

    answers: Counter[int]
    sent_seconds: float
    done_seconds: float


def burst(bot: Bot, hub: GitHub, *, accounts: int, pulls: int) -> Burst:
    """Let `pulls` pull requests in each of `accounts` get 5 heads, then tell the bot of all that at once."""
    url, hub.hooks.url = hub.hooks.url, None
    scenes = [scene for number in range(accounts) for scene in _pulled(hub, f"account-{number}", pulls)]
    deliveries = _twice(hub, [each for each in hub.hooks.deliveries.values() if each.event != "installation"])
    assert len(deliveries) == EVENTS * len(scenes)
    hub.hooks.url = url
    random.Random(1).shuffle(deliveries)
    began = time.monotonic()
    with ThreadPoolExecutor(SENDERS) as pool:
        answers = Counter(pool.map(hub.hooks.send, deliveries))
    sent = time.monotonic()
    become_true(bot, scenes, PUSHED.then)
    return Burst(answers, sent - began, time.monotonic() - began)


def _pulled(hub: GitHub, account: str, pulls: int) -> Sequence[Scene]:
    repository = shop(hub, owner=account)
    scenes = []
    for number in range(pulls):
        branch = f"raise-{number}"
        # Without words of its own its commits would be those of another pull request of the same second.
        own = {"README.md": f"{number}"}
        first, *later = ({**own, "apps/api.yaml": deployment(cpu=cpu)} for cpu in AMOUNTS)
        pull = hub.people.open_pull(repository, first, branch=branch)
        for files in later:
            hub.people.push(repository, files, branch=branch)
        scenes.append(Scene(hub, account, repository, pull))
    return scenes


def _twice(hub: GitHub, deliveries: list[Delivery]) -> list[Delivery]:
    """With every `pull_request` event once more, and the first of each pull request even a third time."""
    pulled = [each for each in deliveries if each.event == "pull_request"]
    opened = [each for each in pulled if each.payload["action"] == "opened"]
    return deliveries + [hub.hooks.redeliver(each) for each in pulled + opened]
