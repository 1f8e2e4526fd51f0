"""What cannot be folded is told at once, as far as it is sure."""

import pytest

from kit.bus.ports import Record
from kit.errors import Dead
from services.monitor.fold.engine import Batch, Changes, Poison
from services.monitor.fold.service import refuse_poison
from services.monitor.fold.states import States

pytestmark = pytest.mark.unit

NO_STATES = States(())
RECORDS = [Record("chat", 0, n, 0, b"talk %d" % (n % 2), b"{", ()) for n in range(6)]


def told(*poison: Poison) -> list[int]:
    batches = {0: Batch(Changes(0, 0, 6, 0, 0, NO_STATES), poison=list(poison))}
    with pytest.raises(Dead) as dead:
        refuse_poison(RECORDS, batches)
    return [
        RECORDS.index(one.offending) for one in dead.value.each if isinstance(one.offending, Record)
    ]


def test_all_that_cannot_be_read_is_told_at_once_in_the_order_of_the_log() -> None:
    assert told(*(Poison(RECORDS[n], "no json", was_read=False) for n in (4, 0, 2))) == [0, 2, 4]


def test_of_what_failed_in_the_state_of_its_conversation_the_first_one_is_sure() -> None:
    assert told(*(Poison(RECORDS[n], "bug") for n in (1, 2, 3, 5))) == [1, 2]


def test_a_batch_without_poison_is_not_refused() -> None:
    refuse_poison(RECORDS, {0: Batch(Changes(0, 0, 6, 0, 0, NO_STATES))})
