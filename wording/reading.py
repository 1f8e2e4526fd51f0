"""One message as the engine reads it: its folded streams and the way back to the original.

It knows characters and places; what is looked for in it is not its concern.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wording.folding import Entry, Folding, low_planes, spans
from wording.forms import Stream, run_starts

_RUN: Final = re.compile(r"(.)\1+", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Track:
    """One stream of a message with the original span of each of its characters."""

    starts: Sequence[int]
    ends: Sequence[int]
    extra: Sequence[int] = ()
    squeezed: bool = False


class Reading:
    """One message and its streams; the maps back to the original are made when first needed."""

    __slots__ = ("_tracks", "folding", "heard", "original", "plain", "text")

    def __init__(self, text: str, folding: Folding) -> None:
        self.original = text
        text = low_planes(text)
        self.text = text
        self.folding = folding
        self.plain = text.translate(folding.plain)
        self.heard = text.translate(folding.sound)
        self._tracks: dict[tuple[Stream, bool], Track] = {}

    def track(self, stream: Stream, *, squeezed: bool = False) -> Track:
        """Answer a stream with its map, built once."""
        key = (stream, squeezed)
        if key not in self._tracks:
            self._tracks[key] = self._make(stream, squeezed=squeezed)
        return self._tracks[key]

    def squeezed(self, stream: Stream) -> str:
        """Answer a stream with every run reduced to one, without its map."""
        return _RUN.sub(r"\1", self.plain if stream is Stream.PLAIN else self.heard)

    def folded(self, index: int) -> str:
        """Answer what the original character at an index folds to."""
        entry: Entry = self.folding.plain[ord(self.text[index])]
        return "" if entry is None else entry if isinstance(entry, str) else chr(entry)

    def _make(self, stream: Stream, *, squeezed: bool) -> Track:
        table = self.folding.plain if stream is Stream.PLAIN else self.folding.sound
        text = self.plain if stream is Stream.PLAIN else self.heard
        origin = spans(self.text, table, length=len(text))
        if not squeezed:
            return Track(origin, [at + 1 for at in origin])
        firsts = run_starts(text)
        lasts = [at - 1 for at in firsts[1:]] + [len(text) - 1]
        starts = [origin[at] for at in firsts]
        ends = [origin[at] + 1 for at in lasts]
        extra = [last - first for first, last in zip(firsts, lasts, strict=True)]
        return Track(starts, ends, extra, squeezed=True)
