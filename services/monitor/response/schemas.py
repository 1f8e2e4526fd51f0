"""How judged rounds and sessions are written into their rows, and compared with them."""

import json
from collections.abc import Mapping, Sequence

from services.monitor.fold.measures import Row
from services.monitor.profiles.domain import ProfileName, ReadingKey
from services.monitor.response.domain import Judged, Round, Score, Session
from services.monitor.response.rollups import CounterKey


def reading_name(readings: Sequence[ReadingKey]) -> str:
    """Return the name under which a round of these readings is stored."""
    return "|".join(readings)


def round_json(scores: Mapping[ProfileName, Score]) -> str:
    """Return a round's scores as they are stored."""
    parts = (
        f'"{name}":[{s.rounds},{s.round_ms},{s.unanswered},{s.within},{s.slow}]'
        for name, s in scores.items()
    )
    return "{" + ",".join(parts) + "}"


def session_json(scores: Mapping[ProfileName, Score]) -> str:
    """Return a session's scores as they are stored."""
    parts = (
        f'"{n}":[{s.sessions},{s.first_responses},{s.first_response_ms},{s.first_within}]'
        for n, s in scores.items()
    )
    return "{" + ",".join(parts) + "}"


def round_row(ended: Round, judged: Judged) -> Row:
    """Return a round as it is compared with what is stored."""
    values = (
        ended.shop_id, ended.conversation_id, ended.buyer_id, ended.agent_id, judged.day,
        ended.opened_ms, ended.closed_ms, ended.waiting_since_ms, ended.outcome.value,
        json.loads(round_json(judged.scores)),
    )  # fmt: skip
    key = reading_name(ended.readings), ended.opened_offset
    return Row("rounds", key, values, ended.born_offset, ended.conversation_id)


def session_row(settled: Session, judged: Judged) -> Row:
    """Return a session as it is compared with what is stored."""
    values = (
        settled.shop_id, settled.conversation_id, settled.buyer_id, settled.agent_id, judged.day,
        settled.started_ms, settled.to_human_ms, settled.assigned_ms, settled.replied_ms,
        json.loads(session_json(judged.scores)),
    )  # fmt: skip
    key = reading_name(settled.readings), settled.started_offset
    return Row("sessions", key, values, settled.born_offset, settled.conversation_id)


def counter_row(key: CounterKey, score: Score) -> Row:
    """Return a row of totals; it rests on the whole log."""
    return Row("counters", tuple(key), (score,), 0)
