"""Cases drawn from a seed: a shop, its agents, its buyers, and everything that goes wrong.

Each case is alone in a shop of its own, so that what differs names the few lines of log that show
it. Moments lie in the past, near the edges of windows, days and gaps.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from contracts.base import Event
from contracts.conversation import AgentStateChanged, ShopListed
from contracts.people import AgentState, PersonId, Role, SenderKind, ShopId
from tests.faults.figures.log import EPOCH, ms
from tests.faults.figures.rules import SHOP_ZONE
from tests.faults.figures.telling import Conversation, name

MOVES: Final = (8, 24)
"""Fewest and most moves of a conversation."""

TALKS: Final = (1, 2, 3, 5, 8)
"""Conversations of a case."""

OPENINGS: Final = (
    "07:59:55", "08:00:00", "08:30:00", "08:59:50", "09:00:00", "10:00:00", "13:20:00", "21:59:30",
    "22:30:00", "22:59:40", "22:59:59.999", "23:00:00", "23:40:00", "23:58:30", "23:59:59",
    "03:00:00", "00:30:00", "01:59:50",
)  # fmt: skip
"""When cases begin, by the shop's clock."""

SHORT: Final = (0, 1, 400, 900, 2_000, 5_000, 9_000, 14_000, 21_000)

EDGES: Final = (
    29_999, 30_000, 30_001, 60_000, 119_999, 120_000, 120_001, 179_999, 180_000, 180_001, 240_000,
    299_000, 599_999, 600_000, 600_001, 900_000, 1_700_000, 3_599_999, 3_600_000, 3_600_001,
)  # fmt: skip

LONG: Final = (5 * 3_600_000, 11 * 3_600_000, 86_400_000)

LATE: Final = (86_399_999, 86_400_001, 89_999_000, 90_100_000, 93_600_000, 180_000_000)
"""How long after a close a word comes that was meant for what it ended."""

ZONES: Final = (
    "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago",
    "Asia/Kathmandu",
)  # fmt: skip
"""Where some cases play, near the days on which clocks change: by an hour, by half of one, at two
o'clock, at midnight."""

DAY: Final = timedelta(days=1)

YEAR: Final = 366

LONGEST: Final = 4 * 86_400_000
"""A case makes its last move so long after its first."""

SKEW: Final = 120
"""Milliseconds by which two gateways' clocks differ at most (H22)."""

_Move = tuple[int, Callable[[Conversation], object]]
"""How likely something is, and what it does."""

IDLE_CLOSE: Final = 1_800_000
ABANDON: Final = 86_400_000
REOPEN_GAP: Final = 600_000


@dataclass
class Case:
    """One shop's story: its conversations and its agents' states, each in the order of its log."""

    number: int
    shop: ShopId
    zone: ZoneInfo
    begins: int
    agents: list[PersonId]
    talks: list[Conversation]
    states: list[AgentStateChanged] = field(default_factory=list)

    @property
    def listed(self) -> ShopListed:
        """The shop's entry in the directory."""
        return ShopListed(
            id=str(self.shop),
            time=EPOCH + timedelta(milliseconds=self.begins),
            shop_id=self.shop,
            name="-",
            time_zone=str(self.zone),
            version=1,
        )


def changes(zone: ZoneInfo, days: Sequence[date]) -> list[date]:
    """Return the days on which the zone's clocks change."""

    def noon(day: date) -> timedelta | None:
        return datetime.combine(day, time(12), zone).utcoffset()

    return [day for day in days if noon(day) != noon(day - DAY)]


def cases(seed: int, count: int, *, first_day: date, days_before: int = YEAR) -> list[Case]:
    """Return that many cases; the same for the same seed and days.

    They begin within three days, or near one of the `days_before` on which clocks change.
    """
    days = [first_day - n * DAY for n in range(1, days_before)]
    return [_Drawn(random.Random(f"{seed}/{n}"), n, first_day, days).case for n in range(count)]


def in_order(told: Sequence[Case]) -> list[Event]:
    """Return all events of all cases by time, each conversation and agent in the order of its log.

    Shops are listed first. Clocks may differ by `SKEW`: where a conversation's log goes back in
    time, its order stands.
    """
    placed: list[tuple[int, int, int, Event]] = []
    logs = [list(talk.log) for case in told for talk in case.talks]
    logs += [list(case.states) for case in told]
    for number, log in enumerate(logs):
        newest = 0
        for place, event in enumerate(log):
            newest = max(newest, ms(event.time))
            placed.append((newest, number, place, event))
    shops = [case.listed for case in told]
    return [*shops, *(event for *_, event in sorted(placed, key=lambda one: one[:3]))]


class _Drawn:
    """Draws one case, move by move."""

    def __init__(
        self, rng: random.Random, number: int, first_day: date, before: Sequence[date]
    ) -> None:
        self._rng = rng
        shop = ShopId(f"shop-{name(rng)}")
        self._zone = SHOP_ZONE if rng.random() < 0.7 else ZoneInfo(rng.choice(ZONES))
        agents = [PersonId(name(rng)) for _ in range(3)]
        count = rng.choice(TALKS)
        buyers = [PersonId(name(rng)) for _ in range(rng.randint(1, count))]
        self._now = self._opening(first_day, before)
        talks = [Conversation(rng, shop, rng.choice(buyers)) for _ in range(count)]
        self.case = Case(number, shop, self._zone, self._now, agents, talks)
        self._versions = dict.fromkeys(agents, 0)
        self._states = dict.fromkeys(agents, AgentState.OFFLINE)
        self._come_to_work()
        for talk in talks:
            self._begin(talk)
        over = self._now + LONGEST
        for _ in range(count * rng.randint(*MOVES)):
            self._pass_time()
            if self._now > over:
                break
            self._move(rng.choice(talks))

    def _opening(self, first_day: date, before: Sequence[date]) -> int:
        clock = time.fromisoformat(self._rng.choice(OPENINGS))
        day = first_day + self._rng.randrange(3) * DAY
        changed = changes(self._zone, before)
        if changed:
            day = self._rng.choice(changed) - self._rng.randrange(2) * DAY
        return ms(datetime.combine(day, clock, self._zone)) + self._rng.choice((0, 0, 1, 700))

    def _pass_time(self) -> None:
        chance = self._rng.random()
        pauses = SHORT if chance < 0.74 else EDGES if chance < 0.985 else LONG
        self._now += self._rng.choice(pauses)

    def _at(self) -> int:
        """Return the moment on the clock of whichever gateway writes it down."""
        skewed = self._rng.random() < 0.05
        return self._now - (self._rng.randrange(SKEW) if skewed else 0)

    # -- agents -----------------------------------------------------------------------------------

    def _come_to_work(self) -> None:
        nobody = self._rng.random() < 0.15
        for agent in self.case.agents:
            if not nobody and self._rng.random() < 0.8:
                self._set(agent, AgentState.ONLINE, self._now - 3_600_000)

    def _set(self, agent: PersonId, state: AgentState, at: int) -> None:
        self._versions[agent] += 1
        moment = datetime.fromtimestamp(at // 1_000, UTC) + timedelta(milliseconds=at % 1_000)
        self.case.states.append(
            AgentStateChanged(
                id=name(self._rng),
                time=moment,
                shop_id=self.case.shop,
                agent_id=agent,
                name="小陈",
                role=Role.AGENT,
                state=state,
                previous=self._states[agent],
                since=moment,
                reason="own_choice",
                version=self._versions[agent],
            )
        )
        self._states[agent] = state

    def _somebody(self, *, but: PersonId | None = None) -> PersonId:
        return self._rng.choice([agent for agent in self.case.agents if agent != but])

    # -- moves ------------------------------------------------------------------------------------

    def _begin(self, talk: Conversation) -> None:
        """Open a conversation; its first words may be in the log before that (H7)."""
        if self._rng.random() < 0.2:
            talk.buyer_says(self._at())
        talk.opened(self._now)
        self._route(talk)

    def _route(self, talk: Conversation) -> None:
        if self._rng.random() < 0.75:
            talk.assigned(self._now, self._somebody(), answers_first=self._rng.random() < 0.08)
        else:
            talk.enqueued(self._now, "nobody_free")

    def _move(self, talk: Conversation) -> None:
        if self._rng.random() < 0.06:
            self._change_state()
        elif talk.closed:
            self._draw(self._closed_moves(), talk)
        else:
            self._draw(self._open_moves(talk), talk)

    def _draw(
        self, moves: Sequence[tuple[int, Callable[[Conversation], object]]], talk: Conversation
    ) -> None:
        weights = [weight for weight, _ in moves]
        [(_, move)] = self._rng.choices(moves, weights)
        move(talk)

    def _open_moves(self, talk: Conversation) -> list[_Move]:
        if talk.queued:
            who: list[_Move] = [(14, self._assign)]
        else:
            who = [(24, self._answer), (7, self._transfer), (3, self._requeue)]
        return [
            *who,
            (22, self._ask),
            (3, self._machine),
            (2, lambda one: one.loser_says(self._at())),
            (2, lambda one: one.outsider_says(self._at(), self._somebody(but=one.owner))),
            (5, self._close),
            (2, self._sweep),
            (2, lambda one: one.noted(self._now)),
            (4, lambda one: one.repeated(self._now - 600_000)),
        ]

    def _closed_moves(self) -> list[_Move]:
        return [
            (12, self._come_back),
            (6, lambda one: one.loser_says(self._at())),
            (2, self._reopen),
            (1, lambda one: one.outsider_says(self._at(), self._somebody())),
            (1, self._machine),
            (1, lambda one: one.noted(self._now)),
            (1, self._days_later),
            (2, lambda one: one.repeated(self._now - 600_000)),
        ]

    def _days_later(self, talk: Conversation) -> None:
        """Let a goodbye, or another's word, come so late that the close is long forgotten."""
        self._now = max(self._now, talk.ended_at + self._rng.choice(LATE))
        for _ in range(self._rng.choice((1, 2, 3))):
            self._now += self._rng.choice(SHORT)
            talk.loser_says(self._at())
        if self._rng.random() < 0.3:
            talk.outsider_says(self._at(), self._somebody())
        if self._rng.random() < 0.8:
            self._now += self._rng.choice(SHORT)
            self._come_back(talk)

    def _change_state(self) -> None:
        self._set(self._somebody(), self._rng.choice(list(AgentState)), self._now)

    def _ask(self, talk: Conversation) -> None:
        for _ in range(self._rng.choice((1, 1, 1, 2, 3))):
            talk.buyer_says(self._at())
            self._now += self._rng.choice(SHORT)

    def _answer(self, talk: Conversation) -> None:
        talk.owner_says(self._at())

    def _machine(self, talk: Conversation) -> None:
        kinds = (SenderKind.ASSIST_BOT, SenderKind.AUTO, SenderKind.SYSTEM)
        talk.machine_says(self._at(), self._rng.choice(kinds))

    def _assign(self, talk: Conversation) -> None:
        talk.assigned(self._now, self._somebody(), answers_first=self._rng.random() < 0.1)

    def _transfer(self, talk: Conversation) -> None:
        if self._rng.random() < 0.3:
            talk.transferred(self._now, None)
        else:
            to = self._somebody(but=talk.owner)
            talk.transferred(self._now, to, answers_first=self._rng.random() < 0.1)

    def _requeue(self, talk: Conversation) -> None:
        talk.enqueued(self._now)

    def _close(self, talk: Conversation) -> None:
        by = talk.buyer if talk.owner is None or self._rng.random() < 0.4 else talk.owner
        talk.ended(self._now, by)
        if self._rng.random() < 0.3:
            self._now += self._rng.choice(SHORT)
            talk.loser_says(self._at())  # the goodbye

    def _sweep(self, talk: Conversation) -> None:
        """Let so much time pass that a sweep closes, by H36's own numbers."""
        sweep: Literal["idle", "abandoned"] = "abandoned" if talk.waiting else "idle"
        wait = ABANDON if talk.waiting else IDLE_CLOSE
        self._now = max(self._now, talk.last_at + wait + self._rng.choice(SHORT))
        talk.ended(self._now, PersonId("system"), sweep)

    def _reopen(self, talk: Conversation) -> None:
        talk.reopened(self._now, "staff")
        self._route(talk)

    def _come_back(self, talk: Conversation) -> None:
        """The buyer writes into a closed conversation: it goes on, or another one does (H30)."""
        message = talk.buyer_says(self._at())
        if self._rng.random() < 0.1:
            talk.loser_says(self._at())
        self._now += self._rng.choice(SHORT)
        others = [one for one in self.case.talks if one.buyer == talk.buyer and not one.closed]
        if others and self._now - talk.ended_at > REOPEN_GAP:
            talk.told_late(self._now, message, others[0])
            talk.waiting = False
            return
        talk.reopened(self._now, "buyer_message")
        self._route(talk)


def moment(at: int) -> str:
    """Return a moment by the shop's clock, to be read."""
    local = (EPOCH + timedelta(milliseconds=at)).astimezone(SHOP_ZONE)
    return local.isoformat(sep=" ", timespec="milliseconds").removesuffix("+08:00")
