"""States that no record can need any more go in batches: a day off leaves very many at once."""

import pytest

from contracts.people import ConversationId, PersonId, ShopId
from services.monitor.fold.engine import PartitionFold, Start
from services.monitor.fold.standing import FORGET_MS, LATE_MS, Standing
from services.monitor.fold.states import Conversation

pytestmark = pytest.mark.unit

NOW_MS = 1_794_369_600_000


def test_states_that_are_over_go_in_batches() -> None:
    closed = {"a": 1, "b": 2, "c": NOW_MS, "d": 3, "e": None}
    states = {
        ConversationId(name): Conversation(
            Standing(ConversationId(name), ShopId("s"), PersonId("b"), 0, closed_ms=at_ms), []
        )
        for name, at_ms in closed.items()
    }
    log_ms = NOW_MS + FORGET_MS + LATE_MS
    fold = PartitionFold(Start(0, 9, log_ms, log_ms, states), [])

    assert fold.forget(2).forgotten == ["a", "b"]
    assert fold.forget(2).forgotten == ["d"]
    assert fold.forget(2).forgotten == []
    assert fold.conversations.keys() == {"c", "e"}
