"""Wording as a measure of the fold: delivered messages are checked, and flagged with evidence."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from contracts.gateway import cleared
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
    """Checks what people say. Remembers by which rules each shop's last message was checked.

    With `believes_gate` an agent's words that the gate cleared by the rules at hand are not checked
    again: the same engine would find nothing either. A recount believes nobody.
    """

    name = NAME

    def __init__(self, rules: Rules, *, believes_gate: bool) -> None:
        self._rules = rules
        self._believes_gate = believes_gate
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
        speaker = _SPEAKERS.get(fact.told.body.sender_kind)
        if speaker is not None:
            self._check(fact, fact.told, speaker, delta=delta)

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

    def _check(self, fact: Fact, heard: Heard, speaker: Speaker, *, delta: Changes) -> None:
        shop_id = heard.body.shop_id
        engine, policy = self._rules.wording(), self._rules.directory.shop(shop_id).policy
        used = engine.lexicon_version, policy.version
        by_gate = self._believes_gate and speaker is Speaker.AGENT
        is_cleared = by_gate and heard.cleared == cleared(*used)
        text = "" if is_cleared else heard.words()
        if not (is_cleared or text):
            return
        if self._known.get(shop_id) != used:
            self._note(fact, shop_id, Wording(*used), delta=delta)
        verdict = engine.check(text, speaker=speaker, policy=policy) if text else None
        if verdict is None or not verdict.hits:
            return
        day = self._rules.directory.calendar(shop_id).day(heard.at_ms)
        delta.days[FlagDay(shop_id, day, speaker.value)] += 1
        delta.flags.append(
            flagged_message(fact, heard, verdict, speaker=speaker, policy_version=policy.version)
        )
        delta.alerts.append(flag_alert(heard, verdict, speaker=speaker))

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
