"""Reception as a measure of the fold: conversations are looked at by rules, and flagged.

Knows the rules and its tables; must not know how the fold goes.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import ShopId
from services.monitor.directory.rules import Rules
from services.monitor.fold.measures import (
    NOTHING,
    BookSpan,
    Fact,
    Kept,
    Row,
    Stretch,
    Waiting,
)
from services.monitor.fold.standing import Standing
from services.monitor.reception import repository, talks
from services.monitor.reception.book import Book
from services.monitor.reception.domain import Changes, Span
from services.monitor.reception.judging import Look
from services.monitor.reception.talks import Talk
from wording import Category, Speaker

NAME: Final = "reception"


class ReceptionMeasure:
    """Looks at how agents receive buyers, and remembers by which rules.

    Whether a shop was unstaffed is asked as a wait is judged; a recount takes what was said then.
    """

    name = NAME
    book: BookSpan | None = None
    refolded = True
    remembers_ms = 0

    def __init__(self, rules: Rules, book: Book) -> None:
        self._rules = rules
        self._book = book
        self._known: dict[ShopId, Span] = {}
        self._evidence: set[int] | None = None
        self._names: dict[tuple[str, str], str] = {}
        self._seen: set[ShopId] = set()
        """Shops whose rules were looked at in this batch: a book changes at its border."""
        self._look = Look(self._excused, self._is_cold)

    def begin(self, opened: Standing) -> Talk:
        """Return the state of a conversation of which nothing is known yet."""
        del opened
        return Talk()

    def delta(self) -> Changes:
        """Return an empty change: a batch begins."""
        self._seen.clear()
        return Changes.none()

    def apply(self, state: Talk, fact: Fact, delta: Changes) -> None:
        """Take a fact in; most find nothing."""
        shop_id = fact.after.shop_id
        if shop_id not in self._seen:
            self._seen.add(shop_id)
            known = self._known.get(shop_id)
            if known is None or known.rules != self._at_hand(shop_id):
                self._note(fact, shop_id, delta)
        look = self._look
        look.stand(self._book, state, fact.after, out=delta.add)
        look.apply(fact)

    def as_if_over(self, state: Talk, standing: Standing, at_ms: int) -> Changes:
        """Return what would be found if nobody wrote any more. Changes nothing."""
        delta = Changes.none()
        self.settle(talks.decode(talks.encode(state)), standing, at_ms, delta=delta)
        return delta

    def settle(self, state: Talk, standing: Standing, at_ms: int, *, delta: Changes) -> None:
        """Find the same for good."""
        look = self._look
        look.stand(self._book, state, standing, out=delta.add)
        look.over(at_ms)

    def under(self, span: BookSpan) -> "ReceptionMeasure":
        """Return itself: no book changes it."""
        del span
        return self

    def encode(self, state: Talk) -> bytes:
        """Return a state as it is stored."""
        return talks.encode(state)

    def decode(self, data: bytes) -> Talk:
        """Read a stored state."""
        return talks.decode(data)

    def waiting(self, state: Talk) -> Waiting:
        """Nobody looks up what is not decided yet."""
        del state
        return NOTHING

    def taken_back(self, delta: Changes) -> None:
        """Stand again by the rules before the batch."""
        self._seen.clear()
        for shop_id, known in delta.before.items():
            if known is None:
                del self._known[shop_id]
            else:
                self._known[shop_id] = known

    async def load(self, session: AsyncSession, *, generation: int, partition: int) -> None:
        """Remember by which rules each shop is looked at."""
        mine = {"generation": generation, "partition": partition}
        self._known = await repository.last_spans(session, mine)

    async def store(self, session: AsyncSession, deltas: Sequence[tuple[Stretch, Changes]]) -> None:
        """Store what was found, and by which rules; telling of it is another's."""
        await repository.add(
            session, [(of, *one) for of, delta in deltas for one in delta.found.values()]
        )
        await repository.add_spans(
            session, [(of, span) for of, delta in deltas for span in delta.spans]
        )

    async def begin_anew(self, session: AsyncSession, stretch: Stretch) -> None:
        """Remove flags and spans from there on; older ones stay."""
        self._known = {}
        mine = {"generation": stretch.generation, "partition": stretch.partition}
        await repository.remove(session, mine | {"first": stretch.first})

    def rows(self, delta: Changes) -> Iterable[Row]:
        """Yield flags."""
        return (repository.row_of(*one) for one in delta.found.values())

    async def kept(self, session: AsyncSession, *, generation: int, partition: int) -> Kept:
        """Return what is stored; compared are conversations that the rules at hand saw whole."""
        mine: dict[str, Any] = {"generation": generation, "partition": partition}
        rows = await repository.kept(session, mine)
        spans = await repository.last_spans(session, mine)
        self._evidence = {offset for offset, *_, excused in (row.key for row in rows) if excused}

        def skips(row: Row) -> str | None:
            shop_id = row.key[2]
            span = spans.get(shop_id)
            if span is None or span.first_offset > row.rests_on:
                return "not_counted_then"
            return None if span.rules == self._at_hand(shop_id) else "other_reception_rules"

        return Kept(rows, skips=skips)

    def _note(self, fact: Fact, shop_id: ShopId, delta: Changes) -> None:
        delta.before.setdefault(shop_id, self._known.get(shop_id))
        span = Span(shop_id, fact.offset, self._at_hand(shop_id))
        self._known[shop_id] = span
        delta.spans.append(span)

    def _at_hand(self, shop_id: ShopId) -> str:
        """Return what names the rules: those of wording say what is cold already."""
        rules = self._rules
        used = rules.wording().lexicon_version, rules.directory.shop(shop_id).policy.version
        name = self._names.get(used)
        if name is None:
            name = self._names[used] = f"{self._book.version} {used[0]} {used[1]}"
        return name

    def _excused(self, shop_id: ShopId, offset: int, at_ms: int) -> bool:
        if self._evidence is not None:
            return offset in self._evidence
        return self._rules.staffing.unstaffed(shop_id, at_ms) is True

    def _is_cold(self, shop_id: ShopId, words: str) -> bool:
        policy = self._rules.directory.shop(shop_id).policy
        verdict = self._rules.wording().check(words, speaker=Speaker.AGENT, policy=policy)
        return any(hit.category is Category.COLD for hit in verdict.hits)
