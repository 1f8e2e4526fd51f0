"""The words of read markers. Pure values."""

from collections.abc import Iterable
from typing import NamedTuple

from contracts.people import ConversationId, PersonId
from services.conversation.archive.domain import Place


class Marker(NamedTuple):
    """Somebody has seen a conversation up to a place in the log."""

    conversation_id: ConversationId
    person_id: PersonId
    place: Place


def furthest(markers: Iterable[Marker]) -> list[Marker]:
    """Return of each person in each conversation how far he has read, in one order for all."""
    found: dict[tuple[str, str], Marker] = {}
    for one in markers:
        key = (one.conversation_id, one.person_id)
        known = found.get(key)
        if known is None or known.place < one.place:
            found[key] = one
    return [found[key] for key in sorted(found)]
