"""One rehearsal from the empty shop to the report, over the public REST and WebSocket only."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from typing import Any, Final

from httpx2 import TransportError

from contracts.people import Role
from kit.clock import SystemClock
from rehearsal.api import Api, ApiRefused, Session
from rehearsal.audit import Audit
from rehearsal.cast import Agent, Backstage, Player, Sabotage, Seats, Supervisor
from rehearsal.client import BACKOFF_S
from rehearsal.dialogues import DialogueSet, Side, with_rude_turns
from rehearsal.endings import Broken
from rehearsal.ledger import Ledger, Serial
from rehearsal.quiet import settled
from rehearsal.report import Report, Run, make
from rehearsal.schedule import Curve, Play, entries, slots, timetable

LEAD_S: Final = 2.0
"""A buyer enters the shop so long before the first message is due."""

MARGIN_S: Final = 0.5
"""Between the last preparation and the first entry."""

ANSWER_S: Final = 60.0
"""Longest wait after play for the last answers, and for whoever must reconnect to see them, unless
a plan says how long what it breaks may stay broken."""

MESSAGES_PER_AGENT_S: Final = 6.0
"""An agent's socket is asked for at most so many messages a second; the limit is 20."""

AGENTS: Final = (4, 60)
"""Fewest and most agents of a rehearsal."""

AGENT_CAPACITY: Final = 200
"""Conversations an agent of the rehearsal may hold, the most that the platform allows."""

AGENT_LOAD: Final = 100
"""Agents are hired so that nobody holds more than about so many conversations at the peak."""

RENEW_EVERY_S: Final = 480.0
"""Tokens live for fifteen minutes; agents who stay longer trade theirs in this often."""

DROPS_PER_S: Final = 1.0
"""Connections cut a second under chaos."""

MESSAGES_LIMIT: Final = 5_000_000
"""Messages of one run; more is refused, because the ledger is kept in memory."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to play. `rate` is messages per second over the run, buyers and agents together."""

    dialogues: DialogueSet
    rate: float
    seconds: float
    curve: Curve = Curve.FLAT
    chaos: bool = False
    sabotage: Sabotage | None = None
    seed: int = 11
    backoff_s: tuple[float, float] = BACKOFF_S
    answers_within_s: float = ANSWER_S


@dataclass(slots=True)
class Progress:
    """What a terminal shows while the run goes on."""

    phase: str = "preparing"
    total: int = 0
    done: int = 0
    sent: int = 0
    drops: int = 0
    ledger: Ledger = field(default_factory=Ledger)
    started: float | None = None
    board: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Company:
    """The shop of this run and its people."""

    shop_id: str
    supervisor: Session
    agents: Sequence[Agent]


class Rehearsal:
    """Plays one plan. Make a new one for each run."""

    def __init__(self, api: Api, admin: Session, plan: Plan, *, progress: Progress) -> None:
        self._api, self._admin, self._plan, self._progress = api, admin, plan, progress
        self._rng = random.Random(plan.seed)  # noqa: S311 - a repeatable timetable, no secret
        self._seats = Seats()
        self._serials = 0
        self._conversations: list[str] = []
        self._buyers: set[Player] = set()
        self._agents: Sequence[Agent] = ()
        self._broken: asyncio.Future[Broken] | None = None
        self._backstage = Backstage(
            api, progress.ledger, self._rng, self._fail, plan.backoff_s, plan.sabotage
        )

    async def run(self) -> Report:
        """Prepare, play, wait for quiet, and judge.

        Raises `Broken` at once when somebody is turned away for good: nobody waits for answers that
        cannot come.
        """
        broken = self._broken = asyncio.get_running_loop().create_future()
        going = asyncio.create_task(self._whole())
        try:
            await asyncio.wait({going, broken}, return_when=asyncio.FIRST_COMPLETED)
            if broken.done():
                raise broken.result()
            return going.result()
        finally:
            going.cancel()
            await asyncio.gather(going, return_exceptions=True)

    def _fail(self, who: str, why: Exception) -> None:
        if self._broken is not None and not self._broken.done():
            self._broken.set_result(Broken(f"while {self._progress.phase}: {who}: {why}"))

    async def _whole(self) -> Report:
        plays = self._timetable()
        company = await self._hire(plays)
        self._agents = company.agents
        supervisor = Supervisor(
            self._backstage, company.supervisor, company.shop_id, on_board=self._on_board
        )
        everybody = [supervisor.client, *(agent.client for agent in company.agents)]
        try:
            await supervisor.sit_down()
            await asyncio.gather(*(agent.sit_down() for agent in company.agents))
            await self._come_online(company)
            started = await self._play(company, plays)
            audit = Audit(
                self._api, company.supervisor, company.shop_id, ledger=self._progress.ledger
            )
            self._step("reading every history")
            await audit.read_histories(self._conversations)
            self._step("comparing the monitor's figures")
            monitor = await audit.compare_figures()
            self._step("counting flags")
            flags = await audit.count_flags(labelled=self._plan.dialogues.labelled)
        finally:
            await asyncio.gather(*(client.close() for client in everybody))
        return make(
            Run(
                ledger=self._progress.ledger,
                started=started,
                seconds=self._plan.seconds,
                chaos=self._plan.chaos,
                archive_lags_ms=audit.archive_lags_ms(),
                flags=flags,
                monitor=monitor,
                title=f"{self._plan.rate:g} messages/s for {self._plan.seconds:g} s",
                conversations=len(self._conversations),
                agents=len(company.agents),
            )
        )

    # -- before -------------------------------------------------------------------------------

    def _timetable(self) -> list[Play]:
        plan = self._plan
        dialogues = list(plan.dialogues.dialogues)
        if plan.dialogues.labelled:
            self._rng.shuffle(dialogues)
        else:
            dialogues = with_rude_turns(dialogues, self._rng)
        times = list(slots(plan.rate, plan.seconds, plan.curve))
        self._progress.total = len(times)
        return timetable(dialogues, times, self._rng)

    async def _hire(self, plays: Sequence[Play]) -> _Company:
        """Open a shop of this run's own, so that its figures are this run's alone."""
        self._step("opening a shop and hiring agents")
        login = f"boss.{self._rng.getrandbits(40):x}.{time.time_ns():x}"
        password = self._password()
        shop = await self._api.call(
            "POST",
            "/v1/shops",
            token=self._admin.token,
            body={
                "name": f"Rehearsal {datetime.now(UTC):%m-%d %H:%M:%S}",
                "admin_login": login,
                "admin_password": password,
            },
        )
        boss = await self._api.sign_in(login, password)
        count = _agents_needed(plays)
        supervisor = await self._hire_one(boss, shop["id"], Role.SUPERVISOR, number=0)
        sessions = await asyncio.gather(
            *(self._hire_one(boss, shop["id"], Role.AGENT, number=n) for n in range(1, count + 1))
        )
        agents = [
            Agent(self._backstage, session, f"agent {number}", seats=self._seats)
            for number, session in enumerate(sessions, 1)
        ]
        return _Company(shop["id"], supervisor, agents)

    async def _hire_one(self, boss: Session, shop_id: str, role: Role, *, number: int) -> Session:
        login, password = f"{role}{number}.{shop_id}", self._password()
        body = {
            "login": login,
            "password": password,
            "name": f"{role} {number}",
            "role": role,
            "capacity": AGENT_CAPACITY,
        }
        await self._api.call("POST", "/v1/staff", token=boss.token, body=body)
        return await self._api.sign_in(login, password)

    def _password(self) -> str:
        return f"{self._rng.getrandbits(128):032x}"

    async def _come_online(self, company: _Company) -> None:
        for agent in company.agents:
            await self._api.call(
                "PUT",
                "/v1/agents/me/state",
                token=agent.session.token,
                body={"state": "online"},
            )

    # -- play ---------------------------------------------------------------------------------

    async def _play(self, company: _Company, plays: Sequence[Play]) -> float:
        self._step("playing")
        enter_at = entries(plays, LEAD_S)
        started = time.monotonic() - enter_at[0] + MARGIN_S
        self._progress.started = started
        aside = [asyncio.create_task(self._renew_sessions(company))]
        if self._plan.chaos:
            aside.append(asyncio.create_task(self._cut_connections(company)))
        shop_id = company.shop_id
        performing = [
            asyncio.create_task(self._perform(shop_id, play, started, enters_at=started + at))
            for play, at in zip(plays, enter_at, strict=True)
        ]
        try:
            over_s = self._plan.seconds - enter_at[0] + self._plan.answers_within_s
            async with asyncio.timeout(over_s):
                await asyncio.gather(*performing)
        except TimeoutError:
            self._step("some sends were never answered")
        finally:
            for task in (*aside, *performing):
                task.cancel()
            await asyncio.gather(*(buyer.client.close() for buyer in list(self._buyers)))
        return started

    async def _perform(self, shop_id: str, play: Play, started: float, *, enters_at: float) -> None:
        """Play one dialogue on time; no turn waits for the answer to the one before."""
        await _until(enters_at)
        buyer, conversation = await self._enter(shop_id, play)
        answers: list[asyncio.Task[None]] = []
        for due in play.due:
            await _until(started + due.at)
            speaker = buyer
            if due.turn.side is Side.AGENT:
                speaker = await self._seats.agent_of(conversation)
            self._serials += 1
            saying = speaker.say(
                conversation, due.turn, Serial(self._serials), due=started + due.at
            )
            answers.append(asyncio.create_task(self._count(saying)))
            # Without this the next turn of the same tick could overtake this one.
            await asyncio.sleep(0)
        await asyncio.gather(*answers)
        await self._leave(buyer, conversation)

    async def _enter(self, shop_id: str, play: Play) -> tuple[Player, str]:
        session = await self._api.visit(shop_id, f"buyer {play.number}")
        buyer = Player(self._backstage, session, f"buyer {play.number}")
        self._buyers.add(buyer)
        opening, _ = await asyncio.gather(
            self._api.call("POST", "/v1/conversations", token=session.token, body={}),
            buyer.client.open(),
        )
        conversation = str(opening["id"])
        self._conversations.append(conversation)
        await buyer.follow(conversation)
        return buyer, conversation

    async def _count(self, saying: Coroutine[Any, Any, None]) -> None:
        self._progress.sent += 1
        await saying
        self._progress.done += 1

    async def _leave(self, buyer: Player, conversation: str) -> None:
        """Close the conversation once everything has settled, and let the buyer go later.

        The buyer's screen stays open until it shows all that it is entitled to.
        """
        agent = await self._seats.close(conversation, self._api)
        stream, ledger = f"conv:{conversation}", self._progress.ledger
        await settled(
            lambda: ledger.complete(conversation),
            lambda: any(one.client.waits_for(stream) for one in (buyer, *self._agents)),
            SystemClock(),
        )
        agent.leave(conversation)
        self._buyers.discard(buyer)
        await buyer.client.close()

    async def _renew_sessions(self, company: _Company) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            for agent in company.agents:
                try:
                    await agent.renew()
                except (ApiRefused, TransportError) as refusal:
                    self._fail(agent.name, refusal)

    async def _cut_connections(self, company: _Company) -> None:
        while True:
            await asyncio.sleep(self._rng.expovariate(DROPS_PER_S))
            people: list[Player] = [*self._buyers, *company.agents]
            self._rng.choice(people).client.drop()
            self._progress.drops += 1

    def _on_board(self, board: dict[str, Any]) -> None:
        self._progress.board = board

    def _step(self, phase: str) -> None:
        self._progress.phase = phase


def _agents_needed(plays: Sequence[Play]) -> int:
    """Return how many agents keep both limits: messages a second and conversations at once."""
    a_second = Counter(int(due.at) for play in plays for due in play.due)
    at_once: Counter[int] = Counter()
    for play in plays:
        at_once.update(range(int(play.starts_at - LEAD_S), int(play.ends_at + LEAD_S) + 1))
    wanted = max(
        ceil(max(a_second.values()) / 2 / MESSAGES_PER_AGENT_S),
        ceil(max(at_once.values()) / AGENT_LOAD),
    )
    return min(max(wanted, AGENTS[0]), AGENTS[1])


async def _until(moment: float) -> None:
    delay = moment - time.monotonic()
    if delay > 0:
        await asyncio.sleep(delay)
