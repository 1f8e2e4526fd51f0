"""What comes more than a day after a close finds the conversation forgotten, and leaves nothing."""

from datetime import timedelta

import msgspec
import pytest

from contracts.conversation import ConversationRated
from contracts.people import ConversationId, PersonId
from services.monitor.fold.standing import Standing
from services.monitor.response.talks import Word
from tests.integration.monitor.chats import NOON, Chat
from tests.unit.monitor.papers import SHOP, Folding, Paper, folded

pytestmark = pytest.mark.unit

ANNE, BEN = PersonId("anne"), PersonId("ben")
HOUR = 3_600.0
LATER = 26 * HOUR


def chat(paper: Paper, name: str = "c") -> Chat:
    """Return a conversation that is not told yet; seconds count from noon."""
    return Chat(paper, SHOP, ANNE, ConversationId(name), PersonId("buyer"), NOON)


async def closed_and_forgotten(paper: Paper) -> tuple[Chat, int]:
    """Tell of an answered and closed conversation; return it with the seat of its agent."""
    talk = await chat(paper).opened(-1)
    seat = talk.version
    await talk.buyer(0)
    await talk.agent(5)
    await talk.closed(60)
    return talk, seat


async def rated(talk: Chat, at: float) -> None:
    """Let the buyer rate."""
    talk.version += 1
    await talk.tell(
        ConversationRated(
            id=talk.rig.ids.new(),
            time=NOON + timedelta(seconds=at),
            shop_id=SHOP,
            conversation_id=talk.id,
            buyer_id=talk.buyer_id,
            version=talk.version,
            agent_id=ANNE,
            score=5,
        )
    )


async def two_days_on(paper: Paper, found: Folding) -> Folding:
    """Let the log go on elsewhere, and forget what may be forgotten."""
    await chat(paper, "other").opened(3 * LATER)
    return (await found.upto(paper.records)).forgets()


def standing(found: Folding) -> Standing:
    """Return how the conversation stands."""
    return found.fold.conversations[ConversationId("c")].standing


async def test_a_rating_behind_the_forgetting_opens_nothing_and_is_forgotten_in_turn() -> None:
    paper = Paper()
    talk, _ = await closed_and_forgotten(paper)
    await rated(talk, LATER)
    found = await folded(paper)

    assert not standing(found).open
    assert "c" not in (await two_days_on(paper, found)).fold.conversations


async def test_a_goodbye_behind_the_forgetting_opens_nothing_and_is_forgotten_in_turn() -> None:
    paper = Paper()
    talk, seat = await closed_and_forgotten(paper)
    await talk.agent(LATER, seat=seat)
    await talk.agent(LATER + HOUR, seat=seat)
    found = await folded(paper)

    assert not standing(found).open
    last_ms = round((NOON + timedelta(seconds=LATER + HOUR)).timestamp() * 1000)
    assert standing(found).closed_ms == last_ms
    assert "c" not in (await two_days_on(paper, found)).fold.conversations


@pytest.mark.parametrize("how", ["reopened", "assigned", "queued", "transferred"])
async def test_what_the_service_tells_behind_a_rating_opens_it_again(how: str) -> None:
    paper = Paper()
    talk, _ = await closed_and_forgotten(paper)
    await rated(talk, LATER)
    match how:
        case "reopened":
            await talk.reopened(LATER + 1)
        case "assigned":
            await talk.assigned(LATER + 1, BEN)
        case "queued":
            await talk.queued(LATER + 1)
        case _:
            await talk.transferred(LATER + 1, BEN)
    found = await folded(paper)

    assert standing(found).open
    assert "c" in (await two_days_on(paper, found)).fold.conversations


async def test_an_agent_s_word_ahead_of_its_seat_leaves_the_conversation_open() -> None:
    paper = Paper()
    talk = chat(paper)
    await talk.agent(0, seat=2)
    await talk.opened(1)
    await talk.buyer(2)
    found = await folded(paper)

    assert standing(found).open
    assert standing(found).owner == ANNE
    assert "c" in (await two_days_on(paper, found)).fold.conversations


async def test_words_behind_a_goodbye_behind_the_forgetting_are_withdrawn_when_they_are_late() -> (
    None
):
    paper = Paper()
    talk, seat = await closed_and_forgotten(paper)
    other = chat(paper, "other")
    await talk.agent(LATER, seat=seat)
    await talk.buyer(LATER + 1)
    await talk.late(LATER + 6, into=other)
    await talk.agent(LATER + 305, seat=seat)
    await talk.buyer(LATER + 400)
    await talk.late(LATER + 401, into=other)
    await talk.agent(LATER + 500, seat=seat)
    found = await folded(paper)

    mine = [one for one in found.rounds if one.conversation_id == "c"]
    assert {one.closed_ms - one.opened_ms for one in mine} == {5_000}
    assert {one.agent_id for one in mine} == {ANNE}
    assert found.waits() == ["other"]
    assert found.score("qiyu", ANNE).rounds == 1


async def test_words_behind_a_rating_behind_the_forgetting_are_withdrawn_when_they_are_late() -> (
    None
):
    paper = Paper()
    talk, seat = await closed_and_forgotten(paper)
    await rated(talk, LATER)
    await talk.agent(LATER + 1, seat=seat)
    await talk.buyer(LATER + 2)
    await talk.late(LATER + 6, into=chat(paper, "other"))
    found = await folded(paper)

    assert found.waits() == ["other"]
    assert not standing(found).open


def times(found: Folding, profile: str, agent: PersonId) -> tuple[int, int, int, int]:
    """Return an agent's rounds, their milliseconds, unanswered ones and first responses."""
    score = found.score(profile, agent)
    return score.rounds, score.round_ms, score.unanswered, score.first_response_ms


@pytest.mark.parametrize("profile", ["qiyu", "taobao_2022"])
@pytest.mark.parametrize("words", [(-2, 0), (0, 2), (-2, 2)])
async def test_a_goodbye_behind_the_forgetting_answers_nothing_and_opens_nothing(
    words: tuple[float, float], profile: str
) -> None:
    paper = Paper()
    talk, seat = await closed_and_forgotten(paper)
    for after in words:
        await (talk.buyer(LATER) if after == 0 else talk.agent(LATER + after, seat=seat))
    if 0 not in words:
        await talk.buyer(LATER + 3)
    await talk.reopened(LATER + 4)
    await talk.queued(LATER + 4)
    await talk.assigned(LATER + 10, BEN)
    await talk.agent(LATER + 30)
    found = (await folded(paper)).forgets()

    waited = 30_000 if 0 in words else 27_000
    assert times(found, profile, ANNE) == (1, 5_000, 0, 5_000)
    assert times(found, profile, BEN) == (1, waited, 0, waited)
    assert found.score(profile).rounds == 2


async def test_a_supervisor_without_a_seat_behind_the_forgetting_answers_nothing() -> None:
    paper = Paper()
    talk, _ = await closed_and_forgotten(paper)
    closed = talk.version
    await talk.buyer(LATER)
    await talk.agent(LATER + 1, seat=closed)
    await talk.agent(LATER + 2, seat=0)
    await talk.reopened(LATER + 4)
    await talk.assigned(LATER + 10, BEN)
    await talk.agent(LATER + 30)
    found = await folded(paper)

    assert times(found, "qiyu", BEN) == (1, 30_000, 0, 30_000)
    assert found.score("qiyu").rounds == 2


async def test_a_reply_behind_the_forgetting_that_outruns_its_seat_answers() -> None:
    paper = Paper()
    talk, seat = await closed_and_forgotten(paper)
    await talk.buyer(LATER)
    await talk.agent(LATER + 1, seat=seat)
    talk.agent_id = BEN
    await talk.agent(LATER + 9, seat=talk.version + 2)
    talk.agent_id = ANNE
    await talk.reopened(LATER + 4)
    await talk.assigned(LATER + 4, BEN)
    found = await folded(paper)

    assert times(found, "qiyu", ANNE) == (1, 5_000, 0, 5_000)
    assert times(found, "qiyu", BEN) == (1, 9_000, 0, 9_000)


async def test_a_reply_answers_whose_seat_is_older_than_the_log() -> None:
    paper = Paper()
    talk = chat(paper)
    talk.version = 2
    await talk.buyer(0)
    await talk.agent(5, seat=2)
    await talk.transferred(60, BEN)
    found = await folded(paper)

    assert times(found, "qiyu", ANNE) == (1, 5_000, 0, 5_000)


async def test_what_was_settled_of_a_goodbye_is_withdrawn_from_what_is_stored() -> None:
    paper = Paper()
    talk, seat = await closed_and_forgotten(paper)
    await talk.buyer(LATER)
    await talk.agent(LATER + 1, seat=seat)
    found = await folded(paper)
    settled = [one for one in found.rounds if one.opened_ms > found.rounds[0].closed_ms]
    await talk.reopened(LATER + 4)
    batch = await found.fold.fold(paper.records[found.fold.next_offset :])

    assert {one.opened_offset for one in settled} == set(
        batch.changes.of("response").withdrawn_rounds
    )
    assert found.waits() == ["c"]


@pytest.mark.parametrize("before_s", [0.0, 5.0])
async def test_what_a_word_means_may_be_told_when_the_close_is_a_day_old(before_s: float) -> None:
    paper = Paper()
    talk, _ = await closed_and_forgotten(paper)
    day_old = 60 + 24 * HOUR
    await talk.buyer(day_old - before_s)
    await talk.reopened(day_old + 9)
    await talk.assigned(day_old + 9, BEN)
    await talk.buyer(day_old + 300)
    await talk.agent(day_old + 310)
    found = await folded(paper)

    assert times(found, "qiyu", BEN)[0::2] == (1, 0)
    assert found.score("qiyu").sessions == 2


@pytest.mark.parametrize("type_", ["conversation.rated.v1", "conversation.anything.v9"])
async def test_what_says_nothing_of_the_seats_leaves_a_goodbye_behind_it_one(type_: str) -> None:
    paper = Paper()
    talk, seat = await closed_and_forgotten(paper)
    await talk.agent(LATER - 1, seat=seat)
    await rated(talk, LATER)
    told = paper.records[-1]
    headers = [(k, type_.encode() if k == "ce_type" else v) for k, v in told.headers]
    paper.records[-1] = msgspec.structs.replace(told, headers=headers)
    await talk.agent(LATER + 1, seat=seat)
    await talk.buyer(LATER + 2)
    await talk.agent(LATER + 3, seat=seat)
    await talk.reopened(LATER + 4)
    await talk.assigned(LATER + 10, BEN)
    await talk.agent(LATER + 30)
    found = await folded(paper)

    assert times(found, "qiyu", ANNE) == (1, 5_000, 0, 5_000)
    assert times(found, "qiyu", BEN) == (1, 28_000, 0, 28_000)


def test_words_that_a_release_before_stored_without_seats_are_read() -> None:
    class Before(msgspec.Struct, array_like=True):
        id: str
        kind: str
        at_ms: int
        offset: int

    before = msgspec.msgpack.encode(Before("m", "buyer", 7, 9))
    now = msgspec.msgpack.decode(before, type=Word)

    assert (now.id, now.at_ms, now.offset, now.seat) == ("m", 7, 9, 0)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(now), type=Before).offset == 9
