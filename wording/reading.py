"""One message as the engine reads it: its folded streams and the way back to the original.

It knows characters and places; what is looked for in it is not its concern.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from operator import ne

from wording.folding import Entry, Folding, low_planes, spans
from wording.forms import Stream, run_starts


@dataclass(frozen=True, slots=True)
class Track:
    """One stream of a message with the original span of each of its characters."""

    starts: Sequence[int]
    ends: Sequence[int]
    extra: Sequence[int] = ()
    squeezed: bool = False


class Reading:
    """One message and its streams; the maps back to the original are made when first needed."""

    __slots__ = (
        "_tracks",
        "first_sign",
        "folding",
        "heard",
        "is_bare",
        "original",
        "plain",
        "text",
    )

    def __init__(self, text: str, folding: Folding) -> None:
        self.original = text
        sign = folding.signs.search(text)
        self.is_bare = sign is None
        """Nothing but Han characters and punctuation: no letter, digit, emoji or mask."""
        self.first_sign = len(text)
        """Where the first stands that is neither; what looks for any need not look before it."""
        if sign is not None:
            self.first_sign = sign.start()
            text = low_planes(text, self.first_sign)
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
        text = self.plain if stream is Stream.PLAIN else self.heard
        # A seventh of what `re.sub` takes for a message that is all runs.
        return "".join(compress(text, map(ne, text, text[1:]))) + text[-1:]

    def fold(self, start: int, end: int) -> str:
        """Answer the plain reading of a span, cut to the message."""
        return self.text[max(0, start) : end].translate(self.folding.plain)

    def folded(self, index: int) -> str:
        """Answer what the original character at an index folds to."""
        entry: Entry = self.folding.plain[ord(self.text[index])]
        return "" if entry is None else entry if isinstance(entry, str) else chr(entry)

    def _make(self, stream: Stream, *, squeezed: bool) -> Track:
        text = self.plain if stream is Stream.PLAIN else self.heard
        if not squeezed:
            table = self.folding.plain if stream is Stream.PLAIN else self.folding.sound
            origin = spans(self.text, table, length=len(text))
            return Track(origin, [at + 1 for at in origin])
        whole = self.track(stream)
        firsts = run_starts(text)
        lasts = [at - 1 for at in firsts[1:]] + [len(text) - 1]
        starts = [whole.starts[at] for at in firsts]
        ends = [whole.ends[at] for at in lasts]
        extra = [last - first for first, last in zip(firsts, lasts, strict=True)]
        return Track(starts, ends, extra, squeezed=True)
