"""A conversation between two records: its standing, and what each measure keeps of it.

Stored as one row, `[format, standing, {measure: bytes}, heard]`: three rows cost 2.4 times as much.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from services.monitor.fold.measures import NOTHING, AnyMeasure, BookSpan, Waiting
from services.monitor.fold.standing import Standing, forget_after_ms

FORMAT: Final = 2
"""How states are written. Another number is another format, and the log is folded anew (H49)."""


class ForeignState(Exception):
    """A stored state has another format than this release writes."""


@dataclass(slots=True)
class Conversation:
    """What the fold remembers of one conversation; `parts` are the measures' states, in order.

    `heard_ms` is the time of its newest record; 0 in what a release stored that did not keep it.
    """

    standing: Standing
    parts: list[Any] = field(repr=False)
    heard_ms: int = 0


class _Stored(msgspec.Struct, array_like=True, gc=False):
    format: int
    standing: Standing
    parts: dict[str, bytes]
    heard_ms: int = 0


_DECODER: Final = msgspec.msgpack.Decoder(_Stored)


class States:
    """Begins, writes and reads states under one set of measures."""

    def __init__(self, measures: Sequence[AnyMeasure]) -> None:
        self.measures = tuple(measures)
        self._remembers_ms = max((measure.remembers_ms for measure in measures), default=0)

    @property
    def book(self) -> BookSpan | None:
        """Return the book that the measures judge by; None if no book changes any."""
        return next((m.book for m in self.measures if m.book is not None), None)

    def place_of(self, name: str) -> int:
        """Return where a measure's state stands in `Conversation.parts`."""
        return [measure.name for measure in self.measures].index(name)

    def begin(self, standing: Standing) -> Conversation:
        """Return the state of a conversation of which nothing is known yet."""
        return Conversation(standing, [measure.begin(standing) for measure in self.measures])

    def encode(self, known: Conversation) -> bytes:
        """Return a state as it is stored."""
        kept = {
            measure.name: measure.encode(part)
            for measure, part in zip(self.measures, known.parts, strict=True)
            if part is not None
        }
        return msgspec.msgpack.encode(_Stored(FORMAT, known.standing, kept, known.heard_ms))

    def decode(self, data: bytes) -> Conversation:
        """Read a stored state; a measure that is new to it begins. Raises `ForeignState`."""
        try:
            stored = _DECODER.decode(data)
        except msgspec.ValidationError:
            raise ForeignState("a stored state is not of this format") from None
        if stored.format != FORMAT:
            raise ForeignState(f"a stored state has format {stored.format}, not {FORMAT}")
        parts = []
        for measure in self.measures:
            part = stored.parts.get(measure.name)
            parts.append(measure.begin(stored.standing) if part is None else measure.decode(part))
        return Conversation(stored.standing, parts, stored.heard_ms)

    def waiting(self, known: Conversation) -> Waiting:
        """Return what of a conversation is not over yet, under all measures."""
        waiting = NOTHING
        for measure, part in zip(self.measures, known.parts, strict=True):
            if part is not None:
                waiting = waiting.beside(measure.waiting(part))
        return waiting

    def forget_after_ms(self, known: Conversation) -> int | None:
        """Return the moment after which the next record begins the conversation anew."""
        return forget_after_ms(
            known.standing, heard_ms=known.heard_ms, remembers_ms=self._remembers_ms
        )

    def settle(self, known: Conversation, at_ms: int, deltas: Sequence[Any]) -> None:
        """Settle for good what is open, as if nobody answered any more."""
        for measure, part, delta in zip(self.measures, known.parts, deltas, strict=True):
            measure.settle(part, known.standing, at_ms, delta=delta)

    def as_if_over(self, known: Conversation, at_ms: int) -> list[Any]:
        """Return what each measure would settle if nobody answered any more, as of a moment.

        One that is to be forgotten by then is over when it is.
        """
        forget = self.forget_after_ms(known)
        until = at_ms if forget is None else min(at_ms, forget)
        parts = zip(self.measures, known.parts, strict=True)
        return [measure.as_if_over(part, known.standing, until) for measure, part in parts]
