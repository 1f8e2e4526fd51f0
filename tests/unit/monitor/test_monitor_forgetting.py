"""States that no record can need any more go in batches: a day off leaves very many at once."""

import msgspec
import pytest

from contracts.people import ConversationId, PersonId, ShopId
from contracts.topics import CHAT
from services.monitor.fold.engine import PartitionFold, Start
from services.monitor.fold.standing import FORGET_MS, LATE_MS, UNHEARD_MS, Standing
from services.monitor.fold.states import Conversation, States
from tests.integration.monitor.chats import NOON, Chat
from tests.unit.monitor.papers import Paper, folded

pytestmark = pytest.mark.unit

NOW_MS = 1_794_369_600_000
UNHEARD_S = UNHEARD_MS / 1000
LATE_S = LATE_MS / 1000


def chat(paper: Paper, name: str) -> Chat:
    """Return a conversation that is not told yet; seconds count from noon."""
    return Chat(
        paper, ShopId("shop"), PersonId("anne"), ConversationId(name), PersonId("buyer"), NOON
    )


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


async def test_an_open_one_that_lost_its_close_goes_when_the_log_holds_nothing_of_it() -> None:
    paper = Paper()
    lost = await chat(paper, "lost").opened(0)
    await lost.buyer(60)
    live = await chat(paper, "live").opened(UNHEARD_S)
    await live.buyer(60 + UNHEARD_S + LATE_S)
    found = await folded(paper)
    assert found.waits() == ["lost", "live"]

    await live.buyer(61 + UNHEARD_S + LATE_S)
    (await found.upto(paper.records)).forgets()

    assert found.waits() == ["live"]
    assert any(one.conversation_id == "lost" for one in found.rounds), "it counts as unanswered"


async def test_what_is_said_so_long_after_the_last_word_begins_anew_whoever_folds_it() -> None:
    paper = Paper()
    lost = await chat(paper, "lost").opened(0)
    await lost.buyer(60)
    await lost.buyer(61 + UNHEARD_S)

    found = await folded(paper)

    born = found.fold.conversations[ConversationId("lost")].standing.born_offset
    assert born == len(paper.records) - 1


def test_a_silent_one_is_kept_for_longer_than_the_log() -> None:
    assert CHAT.retention is not None
    assert max(CHAT.retention).total_seconds() < UNHEARD_S


def test_one_stored_by_a_release_that_kept_no_time_counts_as_heard_of_once() -> None:
    states = States([])
    standing = Standing(ConversationId("c"), ShopId("s"), PersonId("b"), 0)
    before = msgspec.msgpack.encode((2, standing, {}))
    known = states.decode(before)
    fold = PartitionFold(Start(0, 9, NOW_MS, NOW_MS, {standing.name: known}), [])

    noted = fold.forget(2)

    assert noted.conversations == {"c": known}
    assert states.decode(states.encode(known)).heard_ms == NOW_MS
    assert fold.forget(2).touched == 0
