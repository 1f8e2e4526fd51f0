"""Who serves a conversation, told by inboxes and conversations that are in no common order."""

from typing import Any

import pytest
from typing_extensions import override

from player.people import Somebody
from player.scenes import Seat
from player.visits import SEATS_LIMIT, Company
from rehearsal.streams import Frame

pytestmark = pytest.mark.unit

TALK = "conversation-1"


class Colleague(Somebody):
    """Somebody without a socket."""

    def __init__(self, person_id: str) -> None:
        self._person_id = person_id

    @property
    @override
    def id(self) -> str:
        return self._person_id


@pytest.fixture
def company() -> Company:
    """A company of one colleague."""
    made = Company()
    made.colleagues["c3"] = Colleague("c3")
    return made


def hear(company: Company, kind: str, version: int, agent: str | None = None) -> None:
    d: dict[str, Any] = {"conversation_id": TALK, "version": version, "agent_id": agent}
    company.hear(company.colleagues["c3"], Frame(s=f"conv:{TALK}", type=kind, d=d))


def test_a_conversation_is_a_colleagues_a_persons_or_nobodys(company: Company) -> None:
    assert company.seat_of(TALK) is Seat.NOBODY
    hear(company, "conversation.assigned.v1", 2, "c3")
    assert company.seat_of(TALK) is Seat.COLLEAGUE
    assert company.colleague_of(TALK) is company.colleagues["c3"]
    hear(company, "conversation.assigned.v1", 3, "agent1")
    assert company.seat_of(TALK) is Seat.PERSON
    assert company.colleague_of(TALK) is None
    hear(company, "conversation.queued.v1", 4)
    assert company.seat_of(TALK) is Seat.NOBODY


def test_what_comes_late_changes_nothing(company: Company) -> None:
    hear(company, "conversation.assigned.v1", 5, "agent1")
    hear(company, "conversation.assigned.v1", 2, "c3")

    assert company.seat_of(TALK) is Seat.PERSON


def test_an_inbox_that_is_shown_anew_tells_whose_it_is(company: Company) -> None:
    told = {"conversations": [{"id": TALK, "assignment_version": 7}]}

    company.hear(company.colleagues["c3"], Frame(t="snap", s="inbox", d=told))

    assert company.seat_of(TALK) is Seat.COLLEAGUE


def test_no_more_is_remembered_than_a_show_needs(company: Company) -> None:
    for number in range(2 * SEATS_LIMIT):
        company.serves(f"c{number}", 1, "agent1")

    assert company.seat_of("c0") is Seat.NOBODY
    assert company.seat_of(f"c{2 * SEATS_LIMIT - 1}") is Seat.PERSON
