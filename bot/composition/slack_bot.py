"""What the bot does in Slack: the handlers with their real ports, as the steps of durable workflows.

Answers are found in processes of their own, so that neither an analysis nor another answer holds them up.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.adapters.records import Records
from bot.adapters.slack_api import SlackApi
from bot.adapters.slack_files import SlackWebFiles
from bot.adapters.slack_messages import SlackWebMessages
from bot.adapters.slack_people import SlackWebPeople
from bot.composition.allocation import priced_clusters
from bot.composition.processes import Processes, ends_after
from bot.composition.slack_decisions import CheckStale, SlackDecisions
from bot.composition.unused import UnusedClusters
from bot.cost_access import Sight
from bot.cost_answer import CostAnswer, CostRefusal, CostReply
from bot.cost_commands import SAVINGS, CostQuestion
from bot.entrypoints.jobs import Json
from bot.entrypoints.slack_jobs import Steps
from bot.errors import OutsideError, SlackRefused, SlackUnavailable
from bot.handlers.cost_in_slack import NOT_YOURS, answer_anew, answer_in_slack, only_text, sight_of
from bot.handlers.cost_question import answer_question
from bot.handlers.open_savings import answer_savings
from bot.handlers.slack_home import home, my_teams
from bot.logs import configure
from bot.redaction import Redactor
from bot.savings_answer import SavingsAnswer
from bot.savings_slack import decided_in
from bot.server_config import ServerConfig
from bot.settings import Settings, SlackSettings
from bot.slack_events import ButtonPressed, CommandAsked, HomeOpened, ModalSubmitted, from_json
from bot.slack_message import Said, SlackMessage, mrkdwn
from bot.slack_ports import SlackMessages
from bot.unused import NOT_ASKED, UnusedNow

if TYPE_CHECKING:
    from bot.cost_chart import CostChart

AT_ONCE = 2
"""Answers that are looked for at the same time: as many as there are processors on a small machine."""
LONGEST_SECONDS = 120
log = logging.getLogger(__name__)
_answers: Answers


class Answers:
    """What is answered to whom. A pool's process has one."""

    def __init__(self, settings: Settings, config: ServerConfig, slack: SlackSettings, web: str) -> None:
        self._config, self._web = config, web
        self._unused = UnusedClusters(settings, config, priced_clusters(settings, config))
        self._records = Records(settings.database_url)
        api = SlackApi(slack.bot_token, slack.api_url)
        self._files = SlackWebFiles(api)

    def answer(self, told: Json, seen: Sight | None, teams: frozenset[str]) -> list[Json]:
        """What to say to an event of somebody who may see that much, and approves for those teams."""
        event = from_json(told)
        if isinstance(event, ButtonPressed | ModalSubmitted) and decided_in(event) is not None:
            said: Sequence[Said] = answer_anew(event, seen=seen, ask=self._ask)
        elif isinstance(event, CommandAsked | ButtonPressed):
            said = answer_in_slack(event, seen=seen, ask=self._ask, draw=_draw, files=self._files)
        elif isinstance(event, HomeOpened):
            user = event.asker.user_id
            tab = only_text(NOT_YOURS) if seen is None else self._home(user, seen, teams)
            said = (Said("home", tab),)
        else:
            said = ()
        return [each.to_json() for each in said]

    def _home(self, user_id: str, seen: Sight, teams: frozenset[str]) -> SlackMessage:
        return home(
            user_id,
            seen=seen,
            teams=teams,
            ask=self._ask,
            config=self._config,
            shown=self._records.shown,
            saved=self._savings(CostQuestion(SAVINGS), seen, teams, self._unused.now()),
        )

    def _ask(self, question: CostQuestion, sight: Sight) -> CostReply:
        if question.kind == SAVINGS:
            return self._savings(question, sight, unused=self._unused.now())
        return answer_question(
            question, costs=self._records.costs, config=self._config, now=datetime.now(UTC), sight=sight
        )

    def _savings(
        self,
        question: CostQuestion,
        sight: Sight,
        teams: frozenset[str] | None = None,
        unused: UnusedNow = NOT_ASKED,
    ) -> SavingsAnswer | CostRefusal:
        records = self._records
        return answer_savings(
            question,
            recommendations=records.recommendations,
            decisions=records.recommendation_decisions,
            pulls=records.right_sizing,
            at=datetime.now(UTC),
            sight=sight,
            teams=teams,
            unused=unused,
            web=self._web,
        )


def _draw(answer: CostAnswer) -> CostChart:
    from bot.cost_chart import cost_chart  # noqa: PLC0415 - matplotlib takes a second and 60 MB

    return cost_chart(answer)


class SlackBot:
    """The steps, and the processes that take the heavy one."""

    def __init__(
        self,
        settings: Settings,
        config: ServerConfig,
        slack: SlackSettings,
        secrets: Sequence[str],
        *,
        records: Records,
        check_stale: CheckStale | None = None,
        web: str = "",
    ) -> None:
        """`check_stale` is None where nothing opens pull requests; see SlackDecisions.

        `web` is where people look at repositories, `""` where there is no such place.
        """
        api = SlackApi(slack.bot_token, slack.api_url)
        self._messages: SlackMessages = SlackWebMessages(api)
        self._people, self._config = SlackWebPeople(api), config
        self._decisions = SlackDecisions(
            records, config, people=self._people, messages=self._messages, check_stale=check_stale
        )
        self.became, self.tell_approver = self._decisions.became, self._decisions.tell_approver
        self._processes = Processes("answer", AT_ONCE, _begin, (settings, config, slack, web, tuple(secrets)))
        self.stop = self._processes.stop

    def steps(self) -> Steps:
        """One handler call each."""
        return Steps(
            answer=self._answer,
            say=self._say,
            sorry=_sorry,
            decide=self._decisions.decide,
            show=self._decisions.show,
        )

    def warm(self) -> None:
        """Begin to make a process ready, so that the first question does not wait for it."""
        threading.Thread(target=self._make_ready, name="answers", daemon=True).start()

    def _make_ready(self) -> None:
        try:
            self._processes.call(_nothing)
        except OutsideError as error:
            log.warning("Answers could not be made ready: %s", error)

    def _answer(self, told: Json) -> list[Json]:
        event = from_json(told)
        seen = sight_of(event, people=self._people, access=self._config.access)
        teams: frozenset[str] = frozenset()
        if isinstance(event, HomeOpened) and seen is not None:
            teams = my_teams(event.asker.user_id, self._config.teams, people=self._people)
        return self._processes.call(_answer, told, seen, teams)

    def _say(self, told: Json, piece: Json) -> bool:
        """Raises SlackUnavailable where it is worth another try, which a channel must not have twice."""
        event, said = from_json(told), Said.from_json(piece)
        if said.to == "home":
            self._messages.home(event.asker.user_id, said.message)
        elif isinstance(event, ModalSubmitted):
            (self._decisions.replace if said.to == "original" else self._decisions.tell)(event, said)
        elif isinstance(event, CommandAsked | ButtonPressed) and event.response_url:
            try:
                self._messages.respond(
                    event.response_url,
                    said.message,
                    replace=said.to == "original",
                    to_channel=said.to == "channel",
                )
            except SlackUnavailable as lost:
                if said.to == "channel" and lost.retry_after is None:
                    raise SlackRefused("Slack did not say whether it was shared", "unknown") from lost
                raise
            except SlackRefused:
                if said.to == "channel":
                    raise
                self._messages.tell(event.asker.channel_id, event.asker.user_id, said.message)
        return True


def _sorry(reason: str, again: bool) -> list[Json]:  # noqa: FBT001 - a step's argument
    later = " Please ask again in a few minutes." if again else ""
    text = f"Sorry, that did not work: {mrkdwn(reason)}.{later}"
    return [Said("asker", only_text(text)).to_json()]


def _begin(
    settings: Settings, config: ServerConfig, slack: SlackSettings, web: str, secrets: Sequence[str]
) -> None:
    global _answers  # noqa: PLW0603 - the one thing that a pool's process keeps between calls
    configure(Redactor(secrets))
    _answers = Answers(settings, config, slack, web)


def _nothing() -> None:
    """A process that can be called is ready."""


def _answer(told: Json, seen: Sight | None, teams: frozenset[str]) -> list[Json]:
    with ends_after(LONGEST_SECONDS):
        return _answers.answer(told, seen, teams)
