"""How judged rounds and sessions are written into their rows, and compared with them."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from contracts.people import ConversationId
from services.monitor.fold.measures import Row
from services.monitor.profiles.domain import ProfileName, ReadingKey
from services.monitor.response.domain import Round, Score, Scored, Session
from services.monitor.response.rollups import CounterKey


def reading_name(readings: Sequence[ReadingKey]) -> str:
    """Return the name under which a round of these readings is stored."""
    return "|".join(readings)


def round_json(scores: Mapping[ProfileName, Score]) -> str:
    """Return a round's scores as they are stored."""
    return _text(
        {n: (s.rounds, s.round_ms, s.unanswered, s.within, s.slow) for n, s in scores.items()}
    )


def session_json(scores: Mapping[ProfileName, Score]) -> str:
    """Return a session's scores as they are stored."""
    return _text(
        {
            n: (s.sessions, s.first_responses, s.first_response_ms, s.first_within)
            for n, s in scores.items()
        }
    )


def round_score(numbers: Sequence[int]) -> Score:
    """Read a round's scores under one profile."""
    return Score(*numbers)


def session_score(numbers: Sequence[int]) -> Score:
    """Read a session's scores under one profile."""
    counted, answered, took_ms, within = numbers
    return Score(
        sessions=counted,
        first_responses=answered,
        first_response_ms=took_ms,
        first_within=within,
    )


SCORES: Final = {"rounds": round_score, "sessions": session_score}

StoredName: TypeAlias = tuple[str, ReadingKey, int]
"""What names a stored round or session: its table, first reading and place."""


@dataclass(slots=True)
class Evidence:
    """What the log does not say, and a recompute takes from the stored rows."""

    unstaffed: dict[StoredName, bool | None] = field(default_factory=dict)
    """Whether the shop was unstaffed, once it was told."""
    unplaced: set[StoredName] = field(default_factory=set)
    """Rounds that were stored before it was stored where their sessions started."""


Ruling: TypeAlias = Callable[[ReadingKey, date], Collection[ProfileName]]
"""Which profiles rule on a day by a reading."""


class StoredRow(NamedTuple):
    """A stored round or session: its columns but for places, judged scores last, as JSON."""

    table: str
    readings: Sequence[ReadingKey]
    offset: int
    born_offset: int
    settled_offset: int
    columns: tuple[Any, ...]

    def rows(self, ruling: Ruling) -> Iterator[Row]:
        """Yield the row of each reading, with the scores of the profiles that rule by it."""
        *plain, judged = self.columns
        of, day = ConversationId(plain[1]), plain[4]
        for reading in self.readings:
            scores = {name: judged[name] for name in ruling(reading, day) if name in judged}
            values = (*plain, tuple(sorted(scores.items())))
            yield Row(self.table, (reading, self.offset), values, self.born_offset, of, day)


def round_rows(ended: Round, judged: Scored, ruling: Ruling) -> Iterator[Row]:
    """Yield a round, by reading, as it is compared with what is stored."""
    columns = (
        ended.shop_id, ended.conversation_id, ended.buyer_id, ended.agent_id, judged.day,
        ended.opened_ms, ended.closed_ms, ended.waiting_since_ms, ended.outcome.value,
        ended.session_offset, json.loads(round_json(judged.scores)),
    )  # fmt: skip
    where = ended.opened_offset, ended.born_offset, ended.settled_offset
    return StoredRow("rounds", ended.readings, *where, columns).rows(ruling)


def session_rows(settled: Session, judged: Scored, ruling: Ruling) -> Iterator[Row]:
    """Yield a session, by reading, as it is compared with what is stored."""
    columns = (
        settled.shop_id, settled.conversation_id, settled.buyer_id, settled.agent_id, judged.day,
        settled.started_ms, settled.to_human_ms, settled.assigned_ms, settled.replied_ms,
        json.loads(session_json(judged.scores)),
    )  # fmt: skip
    where = settled.started_offset, settled.born_offset, settled.settled_offset
    return StoredRow("sessions", settled.readings, *where, columns).rows(ruling)


def counter_row(key: CounterKey, score: Score) -> Row:
    """Return a row of totals; it rests on the whole log."""
    return Row("counters", tuple(key), (score,), 0, day=key.day)


def _text(numbers: Mapping[ProfileName, tuple[int, ...]]) -> str:
    return msgspec.json.encode(numbers).decode()
