"""Wording as a measure of the fold: delivered messages are checked, and flagged with evidence."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from contracts.monitor import WordingFlagged
from contracts.people import SenderKind, ShopId
from kit import outbox
from services.monitor.directory.rules import Rules
from services.monitor.fold.measures import Fact, Kept, Row, Stateless, Stretch
from services.monitor.fold.schemas import Heard
from services.monitor.wording import repository
from services.monitor.wording.domain import FlagDay, FlaggedMessage, Span, Wording
from services.monitor.wording.flags import flag_alert, flag_row, flagged_message
from wording import Speaker

NAME: Final = "wording"

_SPEAKERS: Final = {SenderKind.AGENT: Speaker.AGENT, SenderKind.BUYER: Speaker.BUYER}


@dataclass(slots=True)
class Changes:
    """What a batch flagged, and from where on which rules were in force."""

    flags: list[FlaggedMessage] = field(default_factory=list, repr=False)
    alerts: list[WordingFlagged] = field(default_factory=list, repr=False)
    spans: list[Span] = field(default_factory=list, repr=False)
    days: Counter[FlagDay] = field(default_factory=Counter)
    before: dict[ShopId, Wording | None] = field(default_factory=dict)
    """By which rules each shop's messages were checked before the batch."""


class WordingMeasure(Stateless[Changes]):
    """Checks what people say. Remembers by which rules each shop's last message was checked."""

    name = NAME

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._known: dict[ShopId, Wording] = {}

    @override
    def delta(self) -> Changes:
        """Return an empty change."""
        return Changes()

    def apply(self, state: None, fact: Fact, delta: Changes) -> None:
        """Check a message of a buyer or an agent."""
        del state
        if not isinstance(fact.told, Heard):
            return
        heard, body = fact.told, fact.told.body
        speaker = _SPEAKERS.get(body.sender_kind)
        text = heard.words() if speaker is not None else ""
        if speaker is None or not text:
            return
        policy = self._rules.directory.shop(body.shop_id).policy
        verdict = self._rules.wording().check(text, speaker=speaker, policy=policy)
        used = verdict.lexicon_version, policy.version
        if self._known.get(body.shop_id) != used:
            self._note(fact, body.shop_id, Wording(*used), delta=delta)
        if not verdict.hits:
            return
        day = self._rules.directory.calendar(body.shop_id).day(heard.at_ms)
        delta.days[FlagDay(body.shop_id, day, speaker.value)] += 1
        delta.flags.append(
            flagged_message(fact, heard, verdict, speaker=speaker, policy_version=policy.version)
        )
        delta.alerts.append(flag_alert(heard, verdict, speaker=speaker))

    @override
    def taken_back(self, delta: Changes) -> None:
        """Stand again by the rules before the batch."""
        for shop_id, used in delta.before.items():
            if used is None:
                del self._known[shop_id]
            else:
                self._known[shop_id] = used

    @override
    async def load(self, session: AsyncSession, *, generation: int, partition: int) -> None:
        """Remember by which rules each shop's last message was checked."""
        mine = {"generation": generation, "partition": partition}
        self._known = await repository.last_wording(session, mine)

    async def store(self, session: AsyncSession, deltas: Sequence[tuple[Stretch, Changes]]) -> None:
        """Store flags and spans, and tell supervisors."""
        await repository.add_flags(
            session, [(stretch, flag) for stretch, delta in deltas for flag in delta.flags]
        )
        await repository.add_spans(
            session, [(stretch, span) for stretch, delta in deltas for span in delta.spans]
        )
        await repository.count(
            session,
            [(of.partition, *row) for of, delta in deltas for row in delta.days.items()],
        )
        await outbox.add(session, *(alert for _, delta in deltas for alert in delta.alerts))

    def rows(self, delta: Changes) -> Iterable[Row]:
        """Yield flags."""
        return map(flag_row, delta.flags)

    async def kept(self, session: AsyncSession, *, generation: int, partition: int) -> Kept:
        """Return what is stored; it is compared where the rules at hand were in force (H22)."""
        mine: dict[str, Any] = {"generation": generation, "partition": partition}
        rows = await repository.kept(session, mine)
        spans = await repository.spans(session, mine)

        def skips(row: Row) -> str | None:
            _, shop_id, offset = row.key
            same = _in_force(spans, shop_id, offset) == self._at_hand(shop_id)
            return None if same else "other_wording_rules"

        return Kept(rows, skips=skips)

    def _note(self, fact: Fact, shop_id: ShopId, used: Wording, *, delta: Changes) -> None:
        delta.before.setdefault(shop_id, self._known.get(shop_id))
        self._known[shop_id] = used
        delta.spans.append(Span(shop_id, fact.offset, used))

    def _at_hand(self, shop_id: ShopId) -> Wording:
        policy = self._rules.directory.shop(shop_id).policy
        return Wording(self._rules.wording().lexicon_version, policy.version)


def _in_force(spans: Sequence[Span], shop_id: ShopId, offset: int) -> Wording | None:
    mine = [span for span in spans if span.shop_id == shop_id and span.first_offset <= offset]
    return mine[-1].wording if mine else None
