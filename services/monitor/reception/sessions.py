"""One moment of a conversation: which session it is of, how long the buyer waits, what is found.

Pure. Findings of one rule, session and agent are one flag, which grows. Must not know what is said.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from contracts.people import PersonId, ShopId
from reception import RuleName
from services.monitor.fold.standing import Standing
from services.monitor.reception.book import Book
from services.monitor.reception.domain import GAP_MS, OFFSETS, REJOIN_MS, Found, Subject
from services.monitor.reception.talks import CLOSERS, Pending, Talk, Told

WORST: Final = 3

Out: TypeAlias = Callable[[Subject, Found], None]
Excused: TypeAlias = Callable[[ShopId, int, int], bool]
"""Whether a shop was unstaffed as a wait began: the shop, the wait's place, and its moment."""
Cold: TypeAlias = Callable[[ShopId, str], bool]
"""Whether the wording rules flag words as cold already."""


class Moment:
    """A moment of a conversation; `standing` is as it is by then."""

    __slots__ = ("at_ms", "book", "cold", "excused", "offset", "out", "standing", "talk")

    def __init__(self, excused: Excused, cold: Cold) -> None:
        self.excused = excused
        self.cold = cold
        self.at_ms = self.offset = 0

    def stand(self, book: Book, talk: Talk, standing: Standing, *, out: Out) -> None:
        """Look at a conversation from now on."""
        self.book, self.talk, self.standing, self.out = book, talk, standing, out

    def contact(self) -> None:
        """Go on with the session, or begin one."""
        talk, at_ms = self.talk, self.at_ms
        if talk.session >= 0 and not talk.ended_ms and at_ms - talk.heard_ms < GAP_MS:
            talk.heard_ms = max(talk.heard_ms, at_ms)
            return  # as nearly always
        if talk.session < 0:
            over = True
        elif talk.ended_ms:
            over = at_ms - talk.ended_ms > REJOIN_MS
        else:
            over = not talk.wait_ms and at_ms - talk.heard_ms >= GAP_MS
        if over:
            talk.begin(self.offset)
        talk.ended_ms = 0
        talk.heard_ms = max(talk.heard_ms, at_ms)

    def silent(self, owner: PersonId | None, *, never: bool) -> None:
        """Look how long an owner let the buyer wait until now."""
        rule, talk = self.book.silence, self.talk
        waited_ms = self.at_ms - talk.wait_ms
        if rule is None or owner is None or not talk.wait_ms or waited_ms <= rule.over_ms:
            return
        if talk.is_so(CLOSERS):
            return
        if talk.session < 0:
            talk.begin(talk.wait_offset)
        worse = never or waited_ms > rule.worse_ms
        self.fire(
            RuleName.SILENCE,
            Pending(owner, talk.wait_ms, talk.wait_offset),
            min(WORST, rule.severity + worse),
            seconds=waited_ms // 1000,
            excused=self.excused(self.standing.shop_id, talk.wait_offset, talk.wait_ms),
        )

    def known(self, rule: str, agent: PersonId) -> Told | None:
        for told in self.talk.told:
            if told.agent == agent and told.rule == rule:
                return told
        return None

    def fire(
        self,
        rule: RuleName,
        held: Pending,
        severity: int,
        *,
        seconds: int = 0,
        due_ms: int = 0,
        excused: bool = False,
    ) -> None:
        """Flag it, or add to the flag of this rule, session and agent."""
        new = Told(rule.value, held.agent, held.offset, held.at_ms, 1, severity)
        if excused:
            self.tell(new, Found(severity, 1, seconds, (held.offset,)), excused=True)
            return
        known = self.known(rule.value, held.agent)
        if known is None:
            self.talk.told.append(new)
            found = Found(severity, 1, seconds, (held.offset,))
            self.tell(new, found, due_ms=due_ms)
            return
        known.times += 1
        more = max(0, severity - known.severity)
        known.severity += more
        places = (held.offset,) if known.times <= OFFSETS else ()
        self.tell(known, Found(more, 1, seconds, places))

    def tell(self, told: Told, found: Found, *, due_ms: int = 0, excused: bool = False) -> None:
        standing = self.standing
        subject = Subject(
            told.offset,
            told.rule,
            standing.shop_id,
            standing.name,
            told.agent,
            self.talk.session,
            standing.born_offset,
            told.at_ms,
            max(told.at_ms, due_ms),
            excused,
        )
        self.out(subject, found)
