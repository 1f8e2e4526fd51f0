"""Two implementations of metrics.md side by side: what the topics say and what the monitor answers.

Computes from the log, asks over the public API, and names what differs. Must not change anything.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from rich.table import Table as Shown
from typing_extensions import override

from contracts.base import Event
from contracts.conversation import AgentStateChanged, Lifecycle, ShopListed
from contracts.gateway import ChatMessage
from contracts.people import SenderKind
from tests.faults.figures.counting import Figures, Table, Talk, Whose, differing, table
from tests.faults.figures.log import Entry, Roster, entry, facts, ms
from tests.faults.figures.reading import Reading
from tests.faults.figures.rules import SHOP_ZONE, Rule, day_of, in_force

Ask = Callable[[str, str, Mapping[str, str]], Awaitable[Any]]
"""Ask (path, shop, query) as somebody who may see the shop's figures."""

NAMES: Final = tuple(one.name for one in fields(Figures))
NAMED: Final = {
    "served": ("slow_buyers", "denominator"),
    "served_slowly": ("slow_buyers", "numerator"),
    "sessions_asked": ("reply_rate_sessions", "denominator"),
    "sessions_in_time": ("reply_rate_sessions", "numerator"),
    "round_p99_ms": ("round_p99", "value"),
    "first_p50_ms": ("frt_p50", "value"),
    "first_p90_ms": ("frt_p90", "value"),
    "first_max_ms": ("frt_max", "value"),
}
"""What is asked for by name: which figure, and what of it."""


@dataclass(slots=True)
class ShopLog:
    """What the topics say of one shop."""

    logs: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    buyers: dict[str, str] = field(default_factory=dict)
    partitions: dict[str, int] = field(default_factory=dict)
    states: list[AgentStateChanged] = field(default_factory=list)
    zone: ZoneInfo = SHOP_ZONE

    def days(self) -> list[date]:
        """Return the days on which anything can count."""
        moments = [one.at for log in self.logs.values() for one in log]
        return sorted({day_of(moment, self.zone) for moment in moments})


class Wait(NamedTuple):
    """A buyer who waits: where, since which word of his, and for whom."""

    conversation: str
    since: int
    agent: str | None


@dataclass(slots=True)
class Book:
    """Everything that stands in the topics `chat` and `staff`."""

    shops: dict[str, ShopLog]
    log_times: dict[int, int]
    """Receive time of the newest record of each partition: what is open is judged as of it."""

    def waits(self, shop: str, rule: Rule) -> set[Wait]:
        """Return who waits in a shop now, as the rule sees it."""
        logs = self.shops[shop].logs.items()
        open_now = {one: Reading(rule).read(facts(log)).waiting for one, log in logs}
        return {
            Wait(conversation, waiting.since, waiting.holder)
            for conversation, waiting in open_now.items()
            if waiting is not None
        }

    def tables(self, shop: str, rules: Iterable[Rule]) -> dict[str, Table]:
        """Return one shop's figures by profile."""
        told = self.shops[shop]
        versions = defaultdict[str, list[Rule]](list)
        for rule in rules:
            versions[rule.name].append(replace(rule, zone=told.zone))
        roster = Roster(told.states)
        talks = [
            Talk(
                told.buyers.get(conversation, ""),
                tuple(facts(log)),
                self.log_times[told.partitions[conversation]],
            )
            for conversation, log in told.logs.items()
        ]
        return {name: table(in_force(known), talks, roster) for name, known in versions.items()}


Log = Mapping[int, Sequence[Event]]
"""Records of a topic by partition, each list in the order of its log."""


def book(chat: Log, staff: Log, directory: Log) -> Book:
    """Return what records come to."""
    shops: dict[str, ShopLog] = defaultdict(ShopLog)
    log_times: dict[int, int] = {}
    for partition, events in chat.items():
        log_times[partition] = max(ms(event.time) for event in events)
        for event in events:
            if isinstance(event, ChatMessage | Lifecycle):
                _chat(shops[event.shop_id], event, partition=partition)
    for event in chain(*staff.values(), *directory.values()):
        match event:
            case AgentStateChanged():
                shops[event.shop_id].states.append(event)
            case ShopListed():
                shops[event.shop_id].zone = ZoneInfo(event.time_zone)
            case _:
                pass
    return Book(dict(shops), log_times)


def _chat(told: ShopLog, event: ChatMessage | Lifecycle, *, partition: int) -> None:
    told.partitions[event.conversation_id] = partition
    told.logs[event.conversation_id].append(entry(event))
    if isinstance(event, Lifecycle):
        told.buyers[event.conversation_id] = event.buyer_id
    elif event.sender_kind is SenderKind.BUYER:
        told.buyers[event.conversation_id] = event.sender_id


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure on which the two implementations do not agree."""

    shop: str
    profile: str
    whose: Whose
    figure: str
    monitor: int | None
    ours: int | None

    @property
    def too_many(self) -> bool:
        """Whether the monitor counts more."""
        return (self.monitor or 0) > (self.ours or 0)

    @override
    def __str__(self) -> str:
        who = self.whose.agent or "the shop"
        return (
            f"{self.profile} {self.figure} of {who} on {self.whose.day}: "
            f"monitor {self.monitor}, from metrics.md {self.ours}"
        )


@dataclass(slots=True)
class Verdict:
    """What a comparison came to: by profile, how many figures that are not zero were compared."""

    compared: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

    def add(self, more: "Verdict") -> None:
        """Add another's."""
        self.compared.update(more.compared)
        self.differences.extend(more.differences)

    def shown(self, title: str) -> Shown:
        """Return a row per profile, and one for all."""
        grid = Shown(title=title)
        for number, column in enumerate(("profile", "compared", "different", "of them")):
            grid.add_column(column, justify="right" if number in {1, 2} else "left")
        for profile in sorted(self.compared):
            mine = [one for one in self.differences if one.profile == profile]
            of_them = Counter(one.figure for one in mine).most_common()
            named = " ".join(f"{figure} {count}" for figure, count in of_them) or "-"
            grid.add_row(profile, str(self.compared[profile]), str(len(mine)), named)
        grid.add_row("all", str(self.compared.total()), str(len(self.differences)), "")
        return grid


async def judge(ask: Ask, told: Book, rules: Sequence[Rule], *, shops: Iterable[str]) -> Verdict:
    """Compare every figure of these shops under every rule."""
    verdict = Verdict()
    for one in await asyncio.gather(*(_judge_shop(ask, told, rules, shop=shop) for shop in shops)):
        verdict.add(one)
    return verdict


async def _judge_shop(ask: Ask, told: Book, rules: Sequence[Rule], *, shop: str) -> Verdict:
    verdict = Verdict()
    ours = told.tables(shop, rules)
    days = told.shops[shop].days()
    for name, mine in ours.items():
        verdict.compared[name] += 0
        theirs = await answered(ask, shop, name, days=days)
        for whose in sorted({*theirs, *mine}, key=str):
            one, other = theirs.get(whose, Figures()), mine.get(whose, Figures())
            verdict.compared[name] += sum(
                bool(getattr(one, figure) or getattr(other, figure)) for figure in NAMES
            )
            verdict.differences += [
                Difference(shop, name, whose, figure, getattr(one, figure), getattr(other, figure))
                for figure in differing(one, other)
            ]
    return verdict


async def answered(ask: Ask, shop: str, profile: str, *, days: Sequence[date]) -> Table:
    """Return the monitor's figures of these days."""
    found: Table = {}
    for day in days:
        for by in ("shop", "agent"):
            answer = await ask(
                "/v1/monitor/figures",
                shop,
                {
                    "profile": profile,
                    "by": by,
                    "metrics": ",".join(sorted({metric for metric, _ in NAMED.values()})),
                    "from": day.isoformat(),
                    "to": (day + timedelta(days=1)).isoformat(),
                },
            )
            for row in answer["rows"]:
                # What nobody owned is in the shop's figures and in no agent's.
                if by == "shop" or row["agent_id"] is not None:
                    named = {n: row["metrics"][metric][part] for n, (metric, part) in NAMED.items()}
                    plain = {name: row[name] for name in NAMES if name not in NAMED}
                    figures = Figures(**plain, **named)
                    if figures != Figures():
                        found[Whose(day, row["agent_id"])] = figures
    return found


BOARD: Final = {
    "rounds": "rounds",
    "round_ms": "round_ms",
    "unanswered": "unanswered",
    "sessions": "sessions",
    "first_responses": "first_responses",
    "first_response_ms": "first_response_ms",
    "first_within": "first_within_30s",
}
"""Which figures the board shows, and what it calls them."""


async def judge_board(
    ask: Ask, told: Book, rules: Sequence[Rule], *, shop: str, day: date
) -> Verdict:
    """Compare what the board shows of the day, the whole shop and each agent, and who waits."""
    verdict = Verdict()
    ours = told.tables(shop, rules)
    board = await ask("/v1/monitor/board", shop, {})
    shown = {None: board["figures"]} | {one["agent_id"]: one["figures"] for one in board["agents"]}
    for agent, rows in shown.items():
        for row in rows:
            whose = Whose(day, agent)
            mine = ours[row["profile"]].get(whose, Figures())
            for name, theirs in BOARD.items():
                verdict.compared["board"] += bool(row[theirs] or getattr(mine, name))
                if row[theirs] != getattr(mine, name):
                    named = f"{row['profile']} {name}"
                    verdict.differences.append(
                        Difference(shop, "board", whose, named, row[theirs], getattr(mine, name))
                    )
    return verdict


async def waiting(ask: Ask, shop: str) -> set[Wait]:
    """Return who waits in a shop, as the monitor says."""
    answer = await ask("/v1/monitor/waiting", shop, {"limit": "200"})
    return {
        Wait(
            one["conversation_id"],
            ms(datetime.fromisoformat(one["waiting_since"])),
            one["agent_id"],
        )
        for one in answer["items"]
    }
