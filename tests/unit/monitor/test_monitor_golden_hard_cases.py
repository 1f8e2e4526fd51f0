"""Golden cases 13 to 25 of metrics.md, each on the fold of a log: they must hold exactly."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from contracts.conversation import AgentStateChanged
from contracts.people import AgentState, ConversationId, PersonId, Role
from profiles import SHIPPED as FILES
from services.monitor.profiles import book as profiles
from services.monitor.profiles.book import ProfileBook
from services.monitor.response.domain import Outcome, Score
from services.monitor.response.rollups import CounterKey
from tests.integration.monitor.chats import NOON, Chat
from tests.unit.monitor.papers import SHIPPED, SHOP, Folding, Paper, folded, rules

pytestmark = pytest.mark.unit

ANNE, BEN = PersonId("anne"), PersonId("ben")
HOUR = 3_600.0
AWAY = AgentState.SUSPENDED
EVERY = tuple(SHIPPED.versions)


def chat(paper: Paper, name: str = "c", *, agent: PersonId = ANNE, start: datetime = NOON) -> Chat:
    """Return a conversation that is not told yet; seconds count from its start."""
    return Chat(paper, SHOP, agent, ConversationId(name), PersonId("buyer"), start)


def ms(seconds: float, start: datetime = NOON) -> int:
    """Return the moment so many seconds after a start."""
    return round((start + timedelta(seconds=seconds)).timestamp() * 1000)


async def test_golden_case_13_a_goodbye_behind_the_close_takes_no_seat() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-10)
    await talk.buyer(0)
    await talk.agent(5)
    seat = talk.version
    await talk.closed(60)
    await talk.agent(60.2, seat=seat)
    await talk.buyer(120)
    await talk.reopened(120.1)
    await talk.assigned(121, BEN)
    await talk.agent(130)

    found = await folded(paper)

    for profile in EVERY:
        assert found.score(profile, ANNE).rounds == 1, profile
        assert found.score(profile, BEN).round_ms == 10_000, profile
    last = found.rounds[-1]
    assert (last.agent_id, last.opened_ms, last.outcome) == (BEN, ms(120), Outcome.ANSWERED)


async def test_golden_case_14_a_contact_within_the_rejoin_time_continues_the_session() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.closed(5)
    await talk.buyer(9)
    await talk.reopened(9.1)
    await talk.assigned(9.2, ANNE)
    await talk.agent(19)

    found = await folded(paper)

    score = found.score("jd_2021")
    assert (score.sessions, score.first_responses, score.first_within) == (1, 1, 1)
    assert score.first_response_ms == 19_000
    assert {(s.started_ms, s.replied_ms) for s in found.sessions} == {(ms(0), ms(19))}


async def test_golden_case_14_without_a_contact_the_closed_session_stays_unanswered() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.closed(5)

    found = await folded(paper)

    assert found.sessions == []  # settled by the next contact or the forgetting, not by the close
    assert found.score("jd_2021") == Score(sessions=1, unanswered=1)


@pytest.mark.parametrize(("colleague", "sessions"), [(AgentState.ONLINE, 1), (AWAY, 0)])
async def test_golden_case_15_only_what_began_while_all_were_away_is_left_out(
    colleague: AgentState, sessions: int
) -> None:
    known = rules()
    for number, agent in enumerate((ANNE, BEN)):
        state = AWAY if agent == ANNE else colleague
        known.staffing.note(
            AgentStateChanged(
                id=f"e{number}", time=NOON, shop_id=SHOP, agent_id=agent, name="n",
                role=Role.AGENT, state=state, previous=state, reason="supervisor", version=1,
                since=NOON - timedelta(hours=1),
            )
        )  # fmt: skip
    known.staffing.through_ms = ms(HOUR)
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.queued(-0.5, reason="group_empty")
    await talk.buyer(0)
    await talk.assigned(20, BEN)
    await talk.agent(21.03)

    found = await Folding(known).upto(paper.records)

    score = found.score("jd_2021")
    assert (score.sessions, score.first_within) == (sessions, sessions)
    assert score.first_response_ms == sessions * 21_030
    assert found.score("qiyu").sessions == 1  # leaves out nothing
    assert {s.unstaffed for s in found.sessions} == {not sessions}


async def test_golden_case_16_a_contact_two_days_later_is_a_second_session() -> None:
    paper, later = Paper(), 48 * HOUR
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.agent(8)
    await talk.buyer(later)
    await talk.agent(later + 25)

    found = await folded(paper)

    score = found.score("jd_2021")
    assert (score.sessions, score.first_within, score.first_response_ms) == (2, 2, 33_000)
    assert {s.started_ms for s in found.sessions} == {ms(0), ms(later)}


async def test_golden_case_18_a_changed_book_changes_no_other_profile() -> None:
    text = (FILES / "qiyu.toml").read_text(encoding="utf-8")
    added = text.replace('"qiyu"', '"own_slow"').replace("rejoin_s = 600", "rejoin_s = 60")
    kept = [p for known in SHIPPED.versions.values() for p in known if p.name != "kuaimai"]
    changed = ProfileBook.of([*kept, profiles.parse(added, "own_slow")])
    paper = Paper()
    talks = [chat(paper, f"c{number}") for number in range(3)]
    for number, talk in enumerate(talks):
        await talk.opened(number)
        await talk.buyer(10 + number)
    border = len(paper.records)
    for number, talk in enumerate(talks):
        await talk.agent(100 + 700 * number)
        await talk.buyer(3_000)
        await talk.agent(3_000 + 5 * HOUR + number)
        await talk.buyer(30_000)
        await talk.agent(30_007)

    alone = await folded(paper)
    found = await Folding(rules()).upto(paper.records[:border])
    await found.stored_and_loaded(changed).upto(paper.records)

    others = [name for name in EVERY if name != "kuaimai"]
    assert {n: found.score(n) for n in others} == {n: alone.score(n) for n in others}
    assert found.score("kuaimai") == Score()
    # The new reading begins with the session that surely begins behind the border.
    assert found.score("own_slow") == Score(
        rounds=3, round_ms=21_000, within=3, sessions=3, first_responses=3,
        first_response_ms=21_000, first_within=3,
    )  # fmt: skip


async def test_golden_case_20_a_late_message_opens_its_round_where_it_is_answered() -> None:
    paper = Paper()
    old = await chat(paper, "c1").opened(-HOUR)
    await old.buyer(-HOUR)
    await old.agent(-HOUR + 4)
    await old.closed(-1_800)
    new = await chat(paper, "c2").opened(-310)
    await new.buyer(-309)
    await new.agent(-300)
    before = await folded(paper)
    await old.buyer(0)
    at_once = await folded(paper)
    await old.late(0.2, into=new)
    told = await folded(paper)
    await new.agent(10)

    found = await folded(paper)

    assert (at_once.waits(), told.waits(), found.waits()) == (["c1"], ["c2"], [])
    for profile in EVERY:
        one_more = found.score(profile).rounds - before.score(profile).rounds
        ten_more = found.score(profile).round_ms - before.score(profile).round_ms
        assert (one_more, ten_more) == (1, 10_000), profile
        assert found.score(profile).sessions == before.score(profile).sessions, profile
    assert {r.opened_ms for r in found.rounds if r.conversation_id == "c1"} == {ms(-HOUR)}


async def test_golden_case_20_what_a_bot_answered_there_is_withdrawn_too() -> None:
    paper = Paper()
    old = await chat(paper, "c1").opened(-HOUR)
    await old.buyer(-HOUR)
    await old.agent(-HOUR + 4)
    await old.closed(-1_800)
    new = await chat(paper, "c2").opened(-1_000)
    before = await folded(paper)
    await old.buyer(0)
    word = old.log[-1]
    await old.bot(1)
    answered = await folded(paper)
    old.log.append(word)
    await old.late(1.5, into=new)

    found = await folded(paper)

    assert answered.score("taobao_2022").rounds == before.score("taobao_2022").rounds + 1
    assert found.score("taobao_2022") == before.score("taobao_2022")
    assert found.waits() == ["c2"]


async def test_golden_case_21_a_sweep_ends_no_session() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.agent(5)
    await talk.closed(1_805, sweep="idle")
    await talk.buyer(2_700)
    await talk.reopened(2_700.1)
    await talk.assigned(2_701, BEN)
    await talk.agent(2_720)

    found = await folded(paper)

    for profile in EVERY:
        sessions = 2 if profile == "kuaimai" else 1
        assert found.score(profile).sessions == sessions, profile
    assert found.score("qiyu", BEN).round_ms == 20_000


@pytest.mark.parametrize(("gap", "sessions"), [(3_600.0, 2), (3_599.999, 1)])
async def test_golden_case_22_the_session_gap_is_exact(gap: float, sessions: int) -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.agent(5)
    await talk.buyer(5 + gap)
    await talk.agent(5 + gap + 3)

    assert (await folded(paper)).score("qiyu").sessions == sessions


async def test_golden_case_22_a_goodbye_shortens_no_gap() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.agent(5)
    seat = talk.version
    await talk.closed(1_000, sweep="idle")
    await talk.agent(1_001, seat=seat)
    await talk.buyer(3_605)

    assert (await folded(paper)).score("jd_2021", at_ms=ms(30 * HOUR)).sessions == 2


async def test_golden_case_22_the_gap_does_not_run_while_the_buyer_waits() -> None:
    paper = Paper()
    start = datetime(2026, 11, 11, 2, tzinfo=UTC)
    talk = await chat(paper, start=start).opened(-1)
    await talk.buyer(0)
    await talk.agent(70 * 60)

    score = (await folded(paper)).score("qiyu")
    assert (score.sessions, score.rounds, score.round_ms) == (1, 1, 70 * 60_000)


async def test_golden_case_23_an_answer_after_midnight_leaves_the_round_unanswered() -> None:
    paper = Paper()
    start = datetime(2026, 11, 11, 15, 59, 50, tzinfo=UTC)
    talk = await chat(paper, start=start).opened(-1)
    await talk.buyer(0)
    await talk.agent(20)

    totals = (await folded(paper)).totals()
    days = {key.day.day: score for key, score in totals.items() if key.profile == "qiyu"}
    assert days == {11: Score(unanswered=1, sessions=1)}


async def test_golden_case_25_n5_what_is_handed_on_after_midnight_stays_whose_it_was() -> None:
    paper = Paper()
    start = datetime(2026, 11, 11, 15, 50, tzinfo=UTC)
    talk = await chat(paper, start=start).opened(-60)
    await talk.buyer(0)
    at_midnight = (await folded(paper)).totals(ms(600, start))
    await talk.transferred(1_200, BEN)
    await talk.agent(1_260)

    found = (await folded(paper)).totals()

    def days(totals: Mapping[CounterKey, Score]) -> dict[tuple[int, PersonId | None], Score]:
        mine = [(key, score) for key, score in totals.items() if key.profile == "qiyu"]
        return {(key.day.day, key.agent_id): score for key, score in mine}

    first_day = {(11, ANNE): Score(unanswered=1, sessions=1)}
    assert days(at_midnight) == first_day
    assert days(found) == first_day | {(12, BEN): Score(rounds=1, round_ms=60_000, within=1)}


async def test_golden_case_24_an_abandoned_buyer_is_one_unanswered_round() -> None:
    paper, day = Paper(), 24 * HOUR
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.closed(day, sweep="abandoned")
    gone = await folded(paper)
    await talk.buyer(day + 300)
    await talk.reopened(day + 301)
    await talk.assigned(day + 302, BEN)
    await talk.agent(day + 310)

    found = await folded(paper)

    assert gone.waits() == []
    assert gone.score("qiyu") == Score(unanswered=1, sessions=1)
    assert found.score("qiyu") == Score(
        unanswered=1, sessions=2, first_responses=1, first_response_ms=10_000, first_within=1,
        rounds=1, round_ms=10_000, within=1,
    )  # fmt: skip
    assert {s.started_ms for s in found.sessions} == {ms(0), ms(day + 300)}


async def test_golden_case_6_who_waits_today_is_shown_as_waiting_and_at_midnight_unanswered() -> (
    None
):
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)

    found = await folded(paper)

    assert found.score("kuaishou_2023", at_ms=ms(3)) == Score()
    assert found.score("kuaishou_2023", at_ms=ms(12 * HOUR)).unanswered == 1


async def test_a_round_that_nobody_owned_at_midnight_stays_nobodys() -> None:
    paper = Paper()
    start = datetime(2026, 11, 11, 15, 59, 50, tzinfo=UTC)
    talk = await chat(paper, start=start).opened(-60)
    await talk.queued(-30)
    await talk.buyer(0)
    await talk.assigned(15, BEN)
    await talk.agent(20)

    found = await folded(paper)

    assert {r.agent_id for r in found.rounds} == {None}
    assert found.score("qiyu", BEN) == Score()


async def test_a_forgotten_conversation_is_settled_as_if_nobody_answered_any_more() -> None:
    paper = Paper()
    talk = await chat(paper).opened(-1)
    await talk.buyer(0)
    await talk.closed(5)
    await chat(paper, "other").opened(26 * HOUR)
    found = await folded(paper)
    before = found.totals()

    found.forgets()

    assert "c" not in found.fold.conversations
    assert found.totals() == before
    assert {s.replied_ms for s in found.sessions} == {None}
