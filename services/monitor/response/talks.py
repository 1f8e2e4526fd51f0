"""What the machine remembers of one conversation, and how it is stored: by reading key (H32).

Pure. Times are milliseconds; None: there is none.
"""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import msgspec

from contracts.people import MessageId, PersonId, SenderKind
from services.monitor.profiles.domain import ReadingKey
from services.monitor.response.domain import Round, Session

TWINS: Final = 4
"""How far back a twin is looked for: a record settles a round and its next one per reading."""

UNDECIDED_WORDS: Final = 64
"""Words into a closed conversation that are remembered until it is told what they are."""

T = TypeVar("T", Round, Session)


class Track(msgspec.Struct, array_like=True, gc=False):
    """One reading's view of one conversation."""

    round_ms: int | None = None
    round_offset: int = 0
    round_owner: PersonId | None = None
    waiting_ms: int = 0
    waiting_offset: int = 0
    session_ms: int | None = None
    session_offset: int = 0
    session_settled: bool = False
    session_owner: PersonId | None = None
    session_human_ms: int | None = None
    session_assigned_ms: int | None = None


class Word(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Something said where it is not known yet whether it counts; an agent's from a seat."""

    id: MessageId
    kind: SenderKind
    at_ms: int
    offset: int
    sender: PersonId = PersonId("")
    seat: int = 0


class Undecided(msgspec.Struct, gc=False):
    """Words of which nobody has told yet whether they reopen, are late (H30) or goodbyes (H33).

    `contact_ms`, `ended_ms` and `tracks` are as they were before the first of them; `rounds` and
    `sessions` name by their offsets what was settled since.
    """

    contact_ms: int | None
    ended_ms: int | None
    tracks: list[Track | None]
    words: list[Word] = msgspec.field(default_factory=list)
    rounds: list[int] = msgspec.field(default_factory=list)
    sessions: list[int] = msgspec.field(default_factory=list)


class Talk(msgspec.Struct, gc=False):
    """What is remembered of one conversation; `tracks` in the order of the book's readings.

    A track None: the reading is newer than the conversation's last session. `ended_ms` is when a
    person closed it, until the next contact.
    """

    to_human_ms: int | None = None
    contact_ms: int | None = None
    ended_ms: int | None = None
    tracks: list[Track | None] = msgspec.field(default_factory=list)
    undecided: Undecided | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether every reading has begun."""
        return None not in self.tracks

    def known(self) -> Iterator[tuple[int, Track]]:
        """Yield the tracks that have begun, with their places."""
        for index, track in enumerate(self.tracks):
            if track is not None:
                yield index, track


class _StoredUndecided(msgspec.Struct, array_like=True, gc=False):
    contact_ms: int | None
    ended_ms: int | None
    tracks: dict[ReadingKey, Track]
    words: list[Word]
    rounds: list[int]
    sessions: list[int]


class _Stored(msgspec.Struct, array_like=True, gc=False):
    to_human_ms: int | None
    contact_ms: int | None
    ended_ms: int | None
    tracks: dict[ReadingKey, Track]
    undecided: _StoredUndecided | None


_DECODER: Final = msgspec.msgpack.Decoder(_Stored)


def encode(talk: Talk, keys: Sequence[ReadingKey]) -> bytes:
    """Return a talk as it is stored, each track under its reading's key."""
    aside = talk.undecided
    return msgspec.msgpack.encode(
        _Stored(
            talk.to_human_ms,
            talk.contact_ms,
            talk.ended_ms,
            _by_key(talk.tracks, keys),
            None
            if aside is None
            else _StoredUndecided(
                aside.contact_ms,
                aside.ended_ms,
                _by_key(aside.tracks, keys),
                aside.words,
                aside.rounds,
                aside.sessions,
            ),
        )
    )


def decode(stored: bytes, keys: Sequence[ReadingKey]) -> Talk:
    """Read a talk. Tracks of readings that are not among `keys` are dropped."""
    found = _DECODER.decode(stored)
    aside = found.undecided
    return Talk(
        found.to_human_ms,
        found.contact_ms,
        found.ended_ms,
        [found.tracks.get(key) for key in keys],
        None
        if aside is None
        else Undecided(
            aside.contact_ms,
            aside.ended_ms,
            [aside.tracks.get(key) for key in keys],
            aside.words,
            aside.rounds,
            aside.sessions,
        ),
    )


def first_known(tracks: Sequence[Track | None], places: Sequence[int]) -> Track | None:
    """Return the first track of these places that has begun."""
    return next((track for place in places if (track := tracks[place]) is not None), None)


def copied(tracks: Sequence[Track | None]) -> list[Track | None]:
    """Return tracks that a later fact does not change."""
    return [None if track is None else msgspec.structs.replace(track) for track in tracks]


def add(settled: list[T], new: T, reading: ReadingKey) -> None:
    """Append, or add the reading to the twin that another reading settled just before."""
    for twin in settled[-TWINS:]:
        new.readings = twin.readings
        if new == twin:
            twin.readings.append(reading)
            return
    new.readings = [reading]
    settled.append(new)


def _by_key(tracks: Sequence[Track | None], keys: Sequence[ReadingKey]) -> dict[ReadingKey, Track]:
    """Leave out what has not begun: the release before reads no nil here, and may come back."""
    return {key: track for key, track in zip(keys, tracks, strict=True) if track is not None}
