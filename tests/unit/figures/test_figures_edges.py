"""The edges of metrics.md, one by one.

The monitor has the same in `tests/unit/monitor/test_monitor_edges.py` and among its golden cases.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from contracts.people import SenderKind
from tests.faults.figures.counting import Figures, nearest
from tests.faults.figures.log import Roster, ms
from tests.unit.figures.scripts import DAY, NEXT, RULES, Script, at, figures, served

pytestmark = pytest.mark.unit

SECOND = 1_000


def test_a_session_starts_with_the_buyers_word_where_staff_spoke_first() -> None:
    talk = served(at("08:50")).agent(at("08:59:50")).buyer(at("09:00:10")).agent(at("09:00:15"))

    found = figures("jd_2021", talk)

    assert (found.sessions, found.first_response_ms) == (1, 5 * SECOND)


def test_a_requeue_leaves_a_round_like_a_transfer() -> None:
    talk = served(at("10:00")).buyer(at("10:00")).queued(at("10:01"))
    talk.owned(at("10:01:10"), "B").agent(at("10:01:30"), "B")

    lost, new = figures("taobao_2022", talk, agent="A"), figures("taobao_2022", talk, agent="B")

    assert (lost.rounds, lost.unanswered) == (1, 1)
    assert (new.rounds, new.round_ms) == (1, 30 * SECOND)


def test_without_counted_transfers_the_new_owner_answers_from_the_transfer_on() -> None:
    talk = served(at("10:00")).buyer(at("10:00")).owned(at("10:01"), "B")
    talk.agent(at("10:01:30"), "B")

    found = figures("qiyu", talk)

    assert (found.rounds, found.round_ms, found.unanswered) == (1, 30 * SECOND, 0)
    assert found.first_response_ms == 90 * SECOND


def test_time_that_went_by_unanswered_counts_until_it_ended_or_midnight() -> None:
    closed = served(at("10:00")).buyer(at("10:00")).closed(at("10:00:05"))
    late = served(at("10:00")).buyer(at("22:59:59")).agent(at("00:10", NEXT))

    assert figures("pdd", closed).round_ms == 5 * SECOND
    assert figures("pdd", late).round_ms == at("00:00", NEXT) - at("22:59:59")


def test_what_opens_behind_the_midnight_of_its_session_is_not_counted() -> None:
    talk = served(at("22:00")).buyer(at("22:00")).agent(at("22:00:05"))
    talk.buyer(at("22:50")).agent(at("23:40")).buyer(at("00:10", NEXT)).agent(at("00:10:05", NEXT))

    assert figures("douyin_2022", talk).rounds == 2
    assert figures("douyin_2022", talk, day=NEXT).rounds == 0


def test_what_is_open_counts_nowhere_while_its_day_goes_on() -> None:
    talk = served(at("10:00")).buyer(at("10:00"))

    today = figures("taobao_2022", talk, now=at("23:59:59.999"))
    over = figures("taobao_2022", talk, now=at("00:00", NEXT))

    assert (today.rounds, today.unanswered, today.sessions) == (0, 0, 0)
    assert (over.rounds, over.unanswered, over.sessions) == (1, 1, 1)


def test_an_unanswered_session_counts_at_once_where_nobody_waits_any_more() -> None:
    talk = served(at("10:00")).buyer(at("10:00")).closed(at("10:01"))

    found = figures("taobao_2022", talk, now=at("10:01"))

    assert (found.sessions, found.unanswered) == (1, 1)


def test_a_session_that_was_answered_counts_while_its_buyer_waits_again() -> None:
    talk = served(at("10:00")).buyer(at("10:00")).agent(at("10:00:05")).buyer(at("10:01"))

    found = figures("taobao_2022", talk, now=at("10:02"))

    assert (found.sessions, found.first_responses, found.rounds) == (1, 1, 1)


def test_an_unanswered_round_is_slow_only_if_it_lasted_so_long() -> None:
    short = served(at("10:00")).buyer(at("10:00")).closed(at("10:00:05"))
    long = served(at("10:00")).buyer(at("10:00")).closed(at("10:02:00.001"))

    assert figures("taobao_3min", short, long).slow == 1
    assert figures("qiyu", short, long).slow == 0
    assert figures("taobao_2022", short, long).slow == 2


def test_percentiles_are_of_answered_rounds_as_the_mean_caps_them() -> None:
    talk = served(at("10:00")).buyer(at("10:00")).agent(at("10:00:10"))
    talk.buyer(at("11:00")).agent(at("11:30")).buyer(at("12:00")).closed(at("12:00:05"))

    found = figures("taobao_2022", talk)

    assert (found.round_p50_ms, found.round_max_ms) == (10 * SECOND, 600 * SECOND)


@pytest.mark.parametrize(("percent", "sample"), [(50, 2), (75, 3), (76, 4), (100, 4), (1, 1)])
def test_a_percentile_is_the_nearest_rank(percent: int, sample: int) -> None:
    assert nearest([3, 1, 4, 2], percent) == sample


@pytest.mark.parametrize("profile", RULES)
def test_words_without_the_seat_answer_nothing(profile: str) -> None:
    talk = served(at("10:00")).buyer(at("10:00")).colleague(at("10:00:05"))
    talk.agent(at("10:00:20"))

    found = figures(profile, talk)

    assert (found.round_ms, found.first_response_ms) == (20 * SECOND, 20 * SECOND)


def test_a_bot_answers_for_whoever_owns_the_conversation() -> None:
    talk = served(at("10:00")).buyer(at("10:00"))
    talk.machine(at("10:00:01"), SenderKind.ASSIST_BOT)

    assert figures("taobao_2022", talk, agent="A").rounds == 1


def test_who_was_nobodys_at_midnight_stays_nobodys() -> None:
    talk = Script().queued(at("23:00")).buyer(at("23:59")).owned(at("00:10", NEXT))
    talk.agent(at("00:11", NEXT))

    assert figures("qiyu", talk).unanswered == 1
    assert figures("qiyu", talk, agent="A").unanswered == 0
    assert figures("qiyu", talk, day=NEXT).rounds == 0


@pytest.mark.parametrize("late", ["10:05", "10:10"])
@pytest.mark.parametrize("seat", [None, 0, 2])
def test_staff_without_the_seat_says_a_goodbye_behind_a_close(late: str, seat: int | None) -> None:
    talk = served(at("10:00")).buyer(at("10:00")).agent(at("10:00:05")).closed(at("10:01"))
    talk.agent(at(late), "S", seat=seat) if seat is not None else talk.colleague(at(late))
    talk.buyer(at("10:11")).owned(at("10:11"), "B").agent(at("10:11:10"), "B")

    found = figures("qiyu", talk)

    assert (found.sessions, found.rounds, found.round_ms) == (2, 2, 15 * SECOND)


@pytest.mark.parametrize("seat", [None, 0])
def test_staff_without_a_seat_makes_contact_while_it_is_open(seat: int | None) -> None:
    talk = served(at("10:00")).buyer(at("10:00")).agent(at("10:00:05"))
    talk.agent(at("10:30"), "S", seat=seat) if seat is not None else talk.colleague(at("10:30"))
    talk.buyer(at("11:29"))

    assert figures("qiyu", talk).sessions == 1


@pytest.mark.parametrize("words", [("09:59:58", "10:00:02"), ("10:00:02",), ("09:59:58",)])
def test_a_goodbye_days_behind_the_close_answers_nothing_and_opens_nothing(
    words: tuple[str, ...],
) -> None:
    talk = served(at("10:00")).buyer(at("10:00")).agent(at("10:00:05")).closed(at("10:01"))
    day = DAY + timedelta(days=3)
    for clock in sorted({*words, "10:00"}):
        moment = at(clock, day)
        talk.buyer(moment) if clock == "10:00" else talk.agent(moment, "A", seat=1)
    talk.owned(at("10:00:10", day), "B").agent(at("10:00:30", day), "B")

    assert figures("qiyu", talk, day=day, agent="A") == Figures()
    assert figures("qiyu", talk, day=day, agent="B").round_ms == 30 * SECOND


def test_what_a_person_closed_is_his_who_had_it_until_a_contact_continues_it() -> None:
    talk = served(at("10:00")).buyer(at("10:00")).closed(at("10:01")).owned(at("10:02"), "B")

    assert figures("qiyu", talk, agent="A").sessions == 1
    assert figures("qiyu", talk, agent="B").sessions == 0

    talk.buyer(at("10:03")).agent(at("10:04"), "B")

    assert figures("qiyu", talk, agent="A").sessions == 0
    assert figures("qiyu", talk, agent="B").first_response_ms == 240 * SECOND


@pytest.mark.parametrize(("back", "sessions"), [("10:10:59.999", 1), ("10:11", 2)])
def test_the_rejoin_counts_from_the_first_close(back: str, sessions: int) -> None:
    talk = served(at("10:00")).buyer(at("10:00")).closed(at("10:01")).owned(at("10:05"), "B")
    talk.closed(at("10:10")).buyer(at(back))

    assert figures("qiyu", talk, now=at("00:00", NEXT)).sessions == sessions


@pytest.mark.parametrize(("back", "sessions"), [("10:14:59.999", 1), ("10:15", 2)])
def test_no_silence_runs_behind_a_persons_close(back: str, sessions: int) -> None:
    talk = served(at("10:00")).buyer(at("10:00")).agent(at("10:01")).closed(at("10:05"))
    talk.buyer(at(back))

    assert figures("kuaimai", talk, now=at("00:00", NEXT)).sessions == sessions


def test_the_first_response_may_come_where_nobody_waits_any_more() -> None:
    talk = served(at("10:00")).buyer(at("10:00")).closed(at("10:01")).owned(at("10:02"), "B")
    talk.agent(at("10:03"), "B")

    found = figures("qiyu", talk)

    assert (found.rounds, found.unanswered) == (0, 1)
    assert (found.first_responses, found.first_response_ms) == (1, 180 * SECOND)


def test_the_first_response_counts_from_the_first_word_whatever_the_window_goes_by() -> None:
    talk = Script().buyer(at("10:00")).opened(at("10:00:10")).owned(at("10:00:10"), "A")
    talk.agent(at("10:00:30"), "A")

    assert figures("douyin_2022", talk).first_response_ms == 30 * SECOND


@pytest.mark.parametrize(("after", "whose"), [("10:59:59.999", "B"), ("11:00", "A")])
def test_what_a_silence_ended_changes_hands_no_more(after: str, whose: str) -> None:
    talk = served(at("10:00")).buyer(at("10:00")).closed(at("10:01"), "abandoned")
    talk.owned(at(after), "B")

    assert figures("qiyu", talk, agent=whose).sessions == 1
    assert figures("qiyu", talk).sessions == 1


@pytest.mark.parametrize(("now", "unanswered"), [("10:09:59.999", 0), ("10:10", 1)])
def test_a_silence_ends_what_it_ends_without_another_record(now: str, unanswered: int) -> None:
    talk = served(at("10:00")).buyer(at("10:00"))

    assert figures("kuaimai", talk, now=at(now)).unanswered == unanswered
    assert figures("kuaimai", talk, now=at(now)).sessions == unanswered
    assert figures("qiyu", talk, now=at(now)).unanswered == 0


@pytest.mark.parametrize(("told", "sessions"), [("22:59:59.900", 2), ("23:00:00.100", 1)])
def test_people_have_it_from_the_moment_it_is_open(told: str, sessions: int) -> None:
    talk = served(at("10:00")).buyer(at("10:00")).closed(at("10:01"))
    talk.buyer(at("22:59:59.500")).opened(at(told))

    assert figures("douyin_2022", talk, now=at("00:00", NEXT)).sessions == sessions


def test_people_never_have_a_session_before_it_starts() -> None:
    talk = Script().buyer(at("08:00")).opened(at("07:59:59.700"))

    assert figures("douyin_2022", talk, now=at("00:00", NEXT)).sessions == 1


def test_a_shop_of_which_no_agent_is_known_has_somebody() -> None:
    talk = served(at("10:00")).buyer(at("10:00")).agent(at("10:00:05"))

    assert figures("jd_2021", talk, roster=Roster([])).sessions == 1


def test_each_day_is_judged_by_the_version_in_force_on_it() -> None:
    talk = served(at("10:00")).buyer(at("10:00")).agent(at("10:01"))
    talk.buyer(at("10:00", NEXT)).agent(at("10:01", NEXT))
    old = RULES["qiyu"]
    stricter = replace(old, begins=NEXT, within=30 * SECOND)

    assert figures("qiyu", talk, rules=[old, stricter]).within == 1
    assert figures("qiyu", talk, rules=[old, stricter], day=NEXT).within == 0
    assert figures("qiyu", talk, rules=[stricter]).rounds == 0


def test_days_are_those_of_the_shop() -> None:
    there = replace(RULES["qiyu"], zone=ZoneInfo("Africa/Cairo"))
    spring = date(2026, 4, 23)
    last = ms(datetime(2026, 4, 23, 21, 59, 50, tzinfo=UTC))
    talk = served(last).buyer(last).agent(last + 9_999)
    late = served(last).buyer(last).agent(last + 10_000)

    assert figures("qiyu", talk, rules=[there], day=spring).unanswered == 0
    assert figures("qiyu", late, rules=[there], day=spring).unanswered == 1
