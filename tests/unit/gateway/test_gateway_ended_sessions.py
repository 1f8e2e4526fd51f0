"""A session that was ended: its tokens are worth nothing, those of other sessions go on."""

from datetime import UTC, datetime

import pytest

from contracts.conversation import SessionEnded, session_key
from contracts.people import PersonId, Role, ShopId
from kit.bus.ports import Record, message_of
from services.gateway.hub import Directory, Person

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 11, tzinfo=UTC)
SHOP = ShopId("shop-a")


def person(sid: str) -> Person:
    """Return the person `p` as a token of a session names him."""
    now = AT.timestamp()
    return Person(PersonId("p"), Role.AGENT, SHOP, "", now, now + 900, sid)


def ended(sid: str) -> Record:
    """Return what the directory says of a session of `p` that was ended."""
    message = message_of(
        SessionEnded(id="e", time=AT, shop_id=SHOP, sid=sid, subject=PersonId("p"), ended_at=AT)
    )
    return Record(message.topic, 0, 0, 0, message.key, message.value, message.headers)


def test_an_ended_session_is_one_of_a_persons_and_says_whose() -> None:
    directory = Directory()

    assert directory.apply(ended("here")) == PersonId("p")

    assert directory.revoked(person("here"))
    assert not directory.revoked(person("elsewhere"))


def test_a_token_that_names_no_session_is_of_none_that_ended() -> None:
    directory = Directory()
    directory.apply(ended("here"))

    assert not directory.revoked(person(""))


def test_a_tombstone_lets_go_of_a_session_and_of_no_other() -> None:
    directory = Directory()
    for sid in ("first", "second"):
        directory.apply(ended(sid))

    directory.apply(Record("directory", 0, 1, 0, session_key("first").encode(), None))

    assert not directory.revoked(person("first"))
    assert directory.revoked(person("second"))
