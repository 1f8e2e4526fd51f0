"""How judged rounds and sessions are written into their rows."""

from collections.abc import Mapping, Sequence

from services.monitor.profiles.domain import ProfileName, ReadingKey
from services.monitor.response.domain import Score


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
