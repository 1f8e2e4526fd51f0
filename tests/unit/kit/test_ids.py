"""Ids: new ones sort by time, derived ones repeat."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.clock import ManualClock
from kit.ids import SequenceIds, Uuid7Ids, dated_id, derived_id, is_uuid7, uuid7, uuid7_floor

pytestmark = pytest.mark.unit

PARTS = st.lists(st.text(max_size=8), max_size=4)


def test_new_ids_are_version_7_and_carry_their_millisecond() -> None:
    clock = ManualClock()

    for made in (uuid7(clock), Uuid7Ids(clock).new()):
        parsed = UUID(made)
        assert str(parsed) == made
        assert parsed.version == 7
        assert parsed.int >> 80 == clock.now_ms()


def test_ids_of_one_process_sort_as_they_were_made_even_within_a_millisecond() -> None:
    clock = ManualClock()
    ids = Uuid7Ids(clock)

    made = [ids.new() for _ in range(10_000)]
    clock.advance(1)
    made.append(ids.new())

    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_a_floor_parts_the_ids_of_before_from_those_of_a_moment_on() -> None:
    clock = ManualClock()
    before = [uuid7(clock) for _ in range(100)]
    clock.advance(0.001)
    floor = uuid7_floor(clock.now())
    since = [uuid7(clock) for _ in range(100)]

    assert UUID(floor).version == 7
    assert max(before) < floor <= min(since)


def test_no_id_is_older_than_1970() -> None:
    floor = uuid7_floor(datetime(1966, 1, 1, tzinfo=UTC))

    assert UUID(floor).version == 7
    assert floor == uuid7_floor(datetime(1970, 1, 1, tzinfo=UTC))


def test_a_clock_that_goes_back_does_not_unsort_the_ids() -> None:
    clock, earlier = ManualClock(), ManualClock()
    clock.advance(60)
    ids = Uuid7Ids(clock)
    before = ids.new()

    ids = Uuid7Ids(earlier)
    ids._last_ms = clock.now_ms()

    assert ids.new()[:13] == before[:13]


@given(PARTS, PARTS)
def test_derived_ids_are_equal_exactly_for_equal_parts(one: list[str], other: list[str]) -> None:
    assert (derived_id(*one) == derived_id(*other)) == (one == other)


def test_a_derived_id_is_a_uuid_that_stays_the_same_over_releases() -> None:
    assert derived_id("conversation", "买家", "1") == "71c0f69d-ec9c-80fd-af51-9475f435864d"
    assert UUID(derived_id()).version == 8


def test_a_dated_id_is_a_derived_one_behind_the_time_of_another() -> None:
    date = uuid7(ManualClock(datetime(2026, 11, 11, tzinfo=UTC)))

    found = dated_id(date, "message", "1")

    assert found == date[:8] + derived_id("message", "1")[8:]
    assert UUID(found).version == 8


def test_a_uuid7_is_told_from_other_ids() -> None:
    assert is_uuid7(uuid7(ManualClock(datetime(2026, 11, 11, tzinfo=UTC))))
    assert is_uuid7(SequenceIds().new())
    for other in ("", "first-message-1", derived_id("a"), f"{SequenceIds().new()}\n"):
        assert not is_uuid7(other)


def test_sequence_ids_count() -> None:
    ids = SequenceIds()

    assert [ids.new()[-2:] for _ in range(3)] == ["01", "02", "03"]
