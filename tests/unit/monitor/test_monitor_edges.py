"""Edges of what a figure means, one by one, as metrics.md numbers them.

The second implementation has the same in `tests/unit/figures/test_figures_edges.py`; both are also
compared on drawn logs in `tests/unit/figures/test_figures_agree.py`.
"""

import pytest

from contracts.people import ConversationId, PersonId
from tests.integration.monitor.chats import NOON, Chat
from tests.unit.monitor.papers import SHOP, Paper, folded

pytestmark = pytest.mark.unit

ANNE, BEN = PersonId("anne"), PersonId("ben")
MINUTE = 60.0


def chat(paper: Paper) -> Chat:
    """Return a conversation that is not told yet; seconds count from noon."""
    return Chat(paper, SHOP, ANNE, ConversationId("c"), PersonId("buyer"), NOON)


async def asked_and_closed(paper: Paper) -> Chat:
    """Tell of a question that was closed after a minute without an answer."""
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    return await talk.closed(MINUTE)


async def test_what_a_person_closed_is_his_who_had_it_until_a_contact_continues_it() -> None:
    paper = Paper()
    talk = await asked_and_closed(paper)
    await talk.reopened(2 * MINUTE)
    await talk.assigned(2 * MINUTE, BEN)
    found = await folded(paper)

    assert (found.score("qiyu", ANNE).sessions, found.score("qiyu", BEN).sessions) == (1, 0)

    await talk.buyer(3 * MINUTE)
    await talk.agent(4 * MINUTE)
    await found.upto(paper.records)

    assert (found.score("qiyu", ANNE).sessions, found.score("qiyu", BEN).sessions) == (0, 1)
    assert found.score("qiyu", BEN).first_response_ms == 240_000


@pytest.mark.parametrize(("back", "sessions"), [(10.9, 1), (11.0, 2)])
async def test_the_rejoin_counts_from_the_first_close(back: float, sessions: int) -> None:
    paper = Paper()
    talk = await asked_and_closed(paper)
    await talk.reopened(5 * MINUTE)
    await talk.assigned(5 * MINUTE, BEN)
    await talk.closed(10 * MINUTE)
    await talk.buyer(back * MINUTE)
    found = await folded(paper)

    assert found.score("qiyu", at_ms=found.fold.log_ms + 86_400_000).sessions == sessions


@pytest.mark.parametrize(("back", "sessions"), [(14.9, 1), (15.0, 2)])
async def test_no_silence_runs_behind_a_persons_close(back: float, sessions: int) -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.assigned(-1, ANNE)
    await talk.buyer(0)
    await talk.agent(MINUTE)
    await talk.closed(5 * MINUTE)
    await talk.buyer(back * MINUTE)
    found = await folded(paper)

    assert found.score("kuaimai", at_ms=found.fold.log_ms + 86_400_000).sessions == sessions


async def test_the_first_response_may_come_where_nobody_waits_any_more() -> None:
    paper = Paper()
    talk = await asked_and_closed(paper)
    await talk.reopened(2 * MINUTE)
    await talk.assigned(2 * MINUTE, BEN)
    await talk.agent(3 * MINUTE)
    found = (await folded(paper)).score("qiyu")

    assert (found.rounds, found.unanswered) == (0, 1)
    assert (found.first_responses, found.first_response_ms) == (1, 180_000)


async def test_the_first_response_counts_from_the_first_word_whatever_the_window_goes_by() -> None:
    paper = Paper()
    talk = await chat(paper).buyer(0)
    await talk.opened(10)
    await talk.assigned(10, ANNE)
    await talk.agent(30)

    assert (await folded(paper)).score("douyin_2022").first_response_ms == 30_000


WINDOW_ENDS = 11 * 60 * MINUTE
"""23:00, counted from noon."""


@pytest.mark.parametrize(("told", "sessions"), [(-0.2, 1), (0.2, 0)])
@pytest.mark.parametrize("how", ["reopened", "assigned"])
async def test_people_have_it_from_the_moment_it_is_open(
    told: float, sessions: int, how: str
) -> None:
    paper = Paper()
    talk = await asked_and_closed(paper)
    await talk.buyer(WINDOW_ENDS - 0.5)
    if how == "reopened":
        await talk.reopened(WINDOW_ENDS + told)
    await talk.assigned(WINDOW_ENDS + told, BEN)
    found = await folded(paper)

    assert found.score("douyin_2022", at_ms=found.fold.log_ms + 86_400_000).sessions == 1 + sessions


async def test_people_never_have_a_session_before_it_starts() -> None:
    paper = Paper()
    talk = chat(paper)
    await talk.buyer(-4 * 60 * MINUTE)
    await talk.opened(-4 * 60 * MINUTE - 0.3)
    found = await folded(paper)

    assert found.score("douyin_2022", at_ms=found.fold.log_ms + 86_400_000).sessions == 1


@pytest.mark.parametrize(("after", "unanswered"), [(599.999, 0), (600.0, 1)])
async def test_a_silence_ends_what_it_ends_without_another_record(
    after: float, unanswered: int
) -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    found = await folded(paper)
    at_ms = round((NOON.timestamp() + after) * 1000)

    assert found.score("kuaimai", at_ms=at_ms).unanswered == unanswered
    assert found.score("kuaimai", at_ms=at_ms).sessions == unanswered
    assert found.score("qiyu", at_ms=at_ms).unanswered == 0


@pytest.mark.parametrize(("after", "whose"), [(3_599.999, BEN), (3_600.0, ANNE)])
async def test_what_a_silence_ended_changes_hands_no_more(after: float, whose: PersonId) -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.closed(MINUTE, sweep="abandoned")
    await talk.reopened(after)
    await talk.assigned(after, BEN)
    found = await folded(paper)

    assert found.score("qiyu").sessions == found.score("qiyu", whose).sessions == 1


MIDNIGHT_MS = round(NOON.timestamp() * 1000) + 12 * 3_600_000


async def test_a_requeue_leaves_a_round_like_a_transfer() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.queued(60)
    await talk.assigned(70, BEN)
    await talk.agent(90)
    found = await folded(paper)

    lost, new = found.score("taobao_2022", ANNE), found.score("taobao_2022", BEN)
    assert (lost.rounds, lost.unanswered) == (1, 1)
    assert (new.rounds, new.round_ms) == (1, 30_000)


async def test_without_counted_transfers_the_new_owner_answers_from_the_transfer_on() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.transferred(60, BEN)
    await talk.agent(90)
    found = (await folded(paper)).score("qiyu")

    assert (found.rounds, found.round_ms, found.unanswered) == (1, 30_000, 0)
    assert found.first_response_ms == 90_000


async def test_time_that_went_by_unanswered_counts_until_it_ended_or_midnight() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.closed(5)

    assert (await folded(paper)).score("pdd").round_ms == 5_000

    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(WINDOW_ENDS - 1)
    await talk.agent(WINDOW_ENDS + 4_200)

    assert (await folded(paper)).score("pdd").round_ms == 3_601_000


async def test_what_is_open_counts_nowhere_while_its_day_goes_on() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    found = await folded(paper)

    today = found.score("taobao_2022", at_ms=MIDNIGHT_MS - 1)
    over = found.score("taobao_2022", at_ms=MIDNIGHT_MS)
    assert (today.rounds, today.unanswered, today.sessions) == (0, 0, 0)
    assert (over.rounds, over.unanswered, over.sessions) == (1, 1, 1)


async def test_an_unanswered_session_counts_at_once_where_nobody_waits_any_more() -> None:
    paper = Paper()
    await asked_and_closed(paper)
    found = (await folded(paper)).score("taobao_2022")

    assert (found.sessions, found.unanswered) == (1, 1)


async def test_a_session_that_was_answered_counts_while_its_buyer_waits_again() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.agent(5)
    await talk.buyer(60)
    found = (await folded(paper)).score("taobao_2022")

    assert (found.sessions, found.first_responses, found.rounds) == (1, 1, 1)


async def test_an_unanswered_round_is_slow_only_if_it_lasted_so_long() -> None:
    paper = Paper()
    for name, after in (("short", 5), ("long", 120.001)):
        talk = Chat(paper, SHOP, ANNE, ConversationId(name), PersonId(name), NOON)
        await talk.opened(-1)
        await talk.buyer(0)
        await talk.closed(after)
    found = await folded(paper)

    assert {name: found.score(name).slow for name in ("taobao_3min", "qiyu", "taobao_2022")} == {
        "taobao_3min": 1,
        "qiyu": 0,
        "taobao_2022": 2,
    }


@pytest.mark.parametrize("late", [300.0, 600.0])
@pytest.mark.parametrize("seat", [0, 2])
async def test_staff_without_the_seat_says_a_goodbye_behind_a_close(late: float, seat: int) -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.agent(5)
    await talk.closed(60)
    talk.agent_id = PersonId("sue")
    await talk.agent(late, seat=seat)
    await talk.buyer(660)
    await talk.reopened(660)
    await talk.assigned(660, BEN)
    await talk.agent(670)
    found = (await folded(paper)).score("qiyu")

    assert (found.sessions, found.rounds, found.round_ms) == (2, 2, 15_000)


async def test_staff_without_a_seat_makes_contact_while_it_is_open() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.agent(5)
    talk.agent_id = PersonId("sue")
    await talk.agent(1_800, seat=0)
    await talk.buyer(5_340)
    found = await folded(paper)

    assert found.score("qiyu", at_ms=MIDNIGHT_MS).sessions == 1
