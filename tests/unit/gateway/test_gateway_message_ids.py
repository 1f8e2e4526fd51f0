"""Which message a send is (H1), and that its id keeps the time of a UUIDv7 (ADR 39)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.clock import ManualClock
from kit.ids import derived_id, uuid7
from services.gateway.inbound.parsing import MessageIds

pytestmark = pytest.mark.unit

FROM = datetime(2026, 12, 1, tzinfo=UTC)
UNTIL = FROM + timedelta(days=30)
IDS = MessageIds(FROM)
TALK, SENDER = "019a4d2e-6b70-7000-8000-000000000070", "019a4d2e-6b70-7000-8000-000000000071"
SECONDS = st.integers(0, 30 * 86_400)


def client_id(at: datetime) -> str:
    """Return an id as a client makes it at that moment."""
    return uuid7(ManualClock(at))


def as_before(sent: str) -> str:
    """Return the id that the release before gives the message."""
    return derived_id("message", TALK, SENDER, sent)


def test_an_id_stays_the_same_over_releases() -> None:
    sent = "019ad7a2-3c00-7abc-8def-0123456789ab"

    found = MessageIds(datetime(2025, 1, 1, tzinfo=UTC)).of(TALK, SENDER, sent)

    assert found == "019ad7a2-939a-8407-8314-7cc85e818ebb"


@given(seconds=SECONDS)
def test_the_time_of_a_client_id_stands_in_front_and_the_rest_is_derived(seconds: int) -> None:
    sent = client_id(FROM + timedelta(seconds=seconds))

    found = IDS.of(TALK, SENDER, sent)

    assert (found[:8], found[8:]) == (sent[:8], as_before(sent)[8:])
    assert UUID(found).version == 8


@given(seconds=SECONDS, later=st.integers(66, 86_400))
def test_ids_are_in_the_order_of_their_minutes(seconds: int, later: int) -> None:
    at = FROM + timedelta(seconds=seconds)
    first, second = client_id(at), client_id(at + timedelta(seconds=later))

    assert IDS.of(TALK, SENDER, first) < IDS.of("another", "somebody", second)


@pytest.mark.parametrize(
    "sent",
    [
        client_id(FROM - timedelta(milliseconds=1)),
        "ffffffff-1",
        "ffffffff-ffff-4fff-8fff-ffffffffffff",
        "ffffffff-ffff-7fff-cfff-ffffffffffff",
        client_id(FROM).upper(),
        client_id(FROM) + "0",
        client_id(FROM).replace("-", ""),
    ],
    ids=["older", "short", "version 4", "variant", "capitals", "longer", "no hyphens"],
)
def test_other_ids_and_older_ones_are_derived_as_before(sent: str) -> None:
    assert IDS.of(TALK, SENDER, sent) == as_before(sent)


@given(seconds=st.integers(-86_400, 60 * 86_400))
def test_back_to_the_release_before_both_derive_alike_from_the_last_moment_on(seconds: int) -> None:
    at = FROM + timedelta(seconds=seconds)
    sent = client_id(at)

    found = MessageIds(FROM, UNTIL).of(TALK, SENDER, sent)

    assert found == (IDS.of(TALK, SENDER, sent) if at < UNTIL else as_before(sent))


def test_nothing_said_elsewhere_or_by_another_is_the_same_message() -> None:
    sent = client_id(FROM)

    one = {IDS.of(talk, person, sent) for talk in (TALK, "x") for person in (SENDER, "y")}

    assert len(one) == 4
