"""Traffic as a measure of the fold: what is said, by shop and day."""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from contracts.people import SenderKind
from services.monitor.directory.rules import Rules
from services.monitor.fold.measures import Fact, Kept, Row, Stateless, Stretch
from services.monitor.fold.schemas import Heard
from services.monitor.traffic import repository
from services.monitor.traffic.domain import SUMS, Traffic, TrafficKey

NAME: Final = "traffic"

Changes: TypeAlias = dict[TrafficKey, Traffic]


class TrafficMeasure(Stateless[Changes]):
    """Counts what is said. Keeps nothing of a conversation."""

    name = NAME

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    @override
    def delta(self) -> Changes:
        """Return an empty change."""
        return {}

    def apply(self, state: None, fact: Fact, delta: Changes) -> None:
        """Count a message; any record of a shop tells how new its board is."""
        del state
        shop_id = fact.after.shop_id
        day = self._rules.directory.calendar(shop_id).day(fact.at_ms)
        key = TrafficKey(shop_id, day)
        traffic = delta.get(key)
        if traffic is None:
            traffic = delta[key] = Traffic()
        traffic.as_of_ms = max(traffic.as_of_ms, fact.at_ms)
        if not isinstance(fact.told, Heard):
            return
        match fact.told.body.sender_kind:
            case SenderKind.BUYER:
                traffic.buyer_messages += 1
            case SenderKind.AGENT:
                traffic.agent_messages += 1
            case _:
                traffic.other_messages += 1

    async def store(self, session: AsyncSession, deltas: Sequence[tuple[Stretch, Changes]]) -> None:
        """Add messages to their days."""
        await repository.add(
            session, [(stretch, *row) for stretch, delta in deltas for row in delta.items()]
        )

    def rows(self, delta: Changes) -> Iterable[Row]:
        """Yield each sum by shop and day; they rest on the whole log."""
        for key, traffic in delta.items():
            for name, number in zip(SUMS, traffic.sums, strict=True):
                yield Row("traffic", (*key, name), (number,), 0, day=key.day)

    async def kept(self, session: AsyncSession, *, generation: int, partition: int) -> Kept:
        """Return what is stored; a sum that came later says nothing of the days before."""
        del generation  # a topic made anew goes on in the same days
        rows, absent = await repository.kept(session, {"partition": partition})
        return Kept(rows, skips=lambda row: "not_counted_then" if row.key in absent else None)
