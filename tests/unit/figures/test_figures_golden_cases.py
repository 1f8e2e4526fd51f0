"""The golden cases of metrics.md, by their numbers, against the computation of `prove figures`.

10, 12, 18 and 19 are about clocks, processes and thresholds: they have no meaning for a pure
function of one log.
"""

import pytest

from contracts.people import AgentState, SenderKind
from tests.faults.figures.log import Roster
from tests.unit.figures.scripts import (
    NEXT,
    ONLINE,
    RULES,
    Script,
    at,
    figures,
    served,
    state,
)

pytestmark = pytest.mark.unit

SECOND = 1_000
MINUTE = 60_000


def test_1_the_first_of_two_questions_opens_the_round() -> None:
    talk = served(at("10:00")).buyer(at("10:10:15")).buyer(at("10:15:20")).agent(at("10:18:10"))

    found = figures("taobao_3min", talk)

    assert (found.within, found.rounds) == (0, 1)


def test_2_a_second_round_answered_in_time_is_one_of_two() -> None:
    talk = served(at("10:00")).buyer(at("10:10:15")).buyer(at("10:15:20")).agent(at("10:18:10"))
    talk.buyer(at("10:18:30")).agent(at("10:19:00"))

    found = figures("taobao_3min", talk)

    assert (found.within, found.rounds) == (1, 2)


def test_3_ten_questions_without_an_answer_are_one_round() -> None:
    talk = served(at("10:00"))
    for minute in range(10):
        talk.buyer(at(f"10:{minute:02}"))

    found = figures("taobao_3min", talk, now=at("00:00", NEXT))

    assert (found.within, found.rounds, found.unanswered) == (0, 1, 1)


def test_4_a_session_counts_where_it_started() -> None:
    early = served(at("08:00")).buyer(at("08:56")).agent(at("09:01"))
    late = served(at("08:00")).buyer(at("09:00")).agent(at("09:00:31"))

    found = figures("jd_2021", early, late)

    assert (found.first_within, found.sessions, found.rounds) == (0, 1, 1)


def test_5_only_the_part_of_the_day_counts() -> None:
    talk = served(at("22:00")).buyer(at("22:00")).agent(at("01:00", NEXT))

    found = figures("douyin_2022", talk)

    assert (found.rounds, found.round_ms, found.unanswered) == (1, 120 * MINUTE, 1)
    assert figures("douyin_2022", talk, day=NEXT).rounds == 0


def test_6_a_quick_answer_is_within_three_minutes() -> None:
    talk = served(at("10:00")).buyer(at("10:00:01")).agent(at("10:00:05"))

    found = figures("kuaishou_2023", talk)

    assert (found.within, found.rounds, found.unanswered) == (1, 1, 0)


@pytest.mark.parametrize(("clock", "taobao"), [("10:09:59", 599), ("10:10:01", 600)])
def test_7_a_silence_of_ten_minutes_ends_a_session_of_kuaimai_alone(
    clock: str, taobao: int
) -> None:
    talk = served(at("10:00")).buyer(at("10:00")).agent(at(clock))

    found, capped = figures("kuaimai", talk), figures("taobao_2022", talk)

    answered = taobao < 600
    assert (found.rounds, found.first_responses) == (answered, answered)
    assert (capped.rounds, capped.round_ms, capped.unanswered) == (1, taobao * SECOND, 0)


def test_8_a_transfer_without_reply_leaves_a_round_and_opens_another() -> None:
    talk = served(at("10:00")).buyer(at("10:00")).owned(at("10:02"), "B").agent(at("10:03"), "B")

    old = figures("taobao_2022", talk, agent="A")
    new = figures("taobao_2022", talk, agent="B")

    assert (old.rounds, old.round_ms, old.unanswered, old.sessions) == (1, 10 * MINUTE, 1, 0)
    assert (new.rounds, new.round_ms, new.unanswered) == (1, MINUTE, 0)
    assert (new.sessions, new.first_response_ms) == (1, 3 * MINUTE)
    assert figures("qiyu", talk).rounds == 1


def test_9_an_automatic_reply_changes_nothing() -> None:
    talk = served(at("10:00")).buyer(at("10:00"))
    talk.machine(at("10:00:01"), SenderKind.AUTO).agent(at("10:01"))

    found = figures("taobao_2022", talk)

    assert (found.rounds, found.round_ms, found.first_response_ms) == (1, MINUTE, MINUTE)


def test_9_the_assist_bot_answers_where_the_profile_says_so() -> None:
    talk = served(at("10:00")).buyer(at("10:00"))
    talk.machine(at("10:00:01"), SenderKind.ASSIST_BOT).agent(at("10:01"))

    assert figures("taobao_2022", talk).round_ms == SECOND
    assert figures("qiyu", talk).round_ms == MINUTE


@pytest.mark.parametrize("profile", RULES)
def test_11_what_is_delivered_three_times_counts_once(profile: str) -> None:
    once, thrice = Script(), Script()
    for script, times in ((once, 0), (thrice, 2)):
        script.owned(at("10:00")).again(times).buyer(at("10:01")).again(times)
        script.agent(at("10:02")).again(times).buyer(at("10:03")).again(times)
        script.closed(at("10:04")).again(times)

    assert figures(profile, once) == figures(profile, thrice)


@pytest.mark.parametrize("profile", RULES)
def test_13_a_goodbye_behind_the_close_opens_nothing_for_who_said_it(profile: str) -> None:
    talk = served(at("10:00")).buyer(at("10:00")).agent(at("10:00:05"))
    talk.closed(at("10:01")).agent(at("10:01:01")).buyer(at("10:20"))
    talk.owned(at("10:20:10"), "B").agent(at("10:20:30"), "B")

    first, second = figures(profile, talk, agent="A"), figures(profile, talk, agent="B")

    assert (first.rounds, first.round_ms, first.unanswered) == (1, 5 * SECOND, 0)
    assert (second.rounds, second.round_ms) == (1, 30 * SECOND)
    assert (first.sessions, second.sessions) == (1, 1)


@pytest.mark.parametrize("profile", RULES)
def test_14_who_comes_back_soon_goes_on_with_his_session(profile: str) -> None:
    talk = served(at("10:00")).buyer(at("10:00")).closed(at("10:00:05"))
    talk.buyer(at("10:00:09")).owned(at("10:00:10"), "B").agent(at("10:00:19"), "B")

    found = figures(profile, talk)

    assert (found.sessions, found.first_responses, found.first_within) == (1, 1, 1)
    assert found.first_response_ms == 19 * SECOND


@pytest.mark.parametrize(("apart", "sessions"), [("10:15", 2), ("10:14:59.999", 1)])
def test_14_the_rejoin_time_itself_is_too_late(apart: str, sessions: int) -> None:
    talk = served(at("10:00")).buyer(at("10:00")).agent(at("10:01")).closed(at("10:05"))
    talk.buyer(at(apart))

    assert figures("jd_2021", talk, now=at("00:00", NEXT)).sessions == sessions


@pytest.mark.parametrize(
    ("states", "sessions"),
    [
        ((ONLINE, ONLINE), 1),
        ((ONLINE, AgentState.SUSPENDED), 1),
        ((AgentState.SUSPENDED, AgentState.SUSPENDED), 0),
        ((AgentState.BREAK,), 1),
    ],
)
def test_15_only_a_shop_without_anybody_takes_leave_messages(
    states: tuple[AgentState, ...], sessions: int
) -> None:
    roster = Roster(state(f"A{n}", at("08:00"), one) for n, one in enumerate(states))
    talk = Script().queued(at("10:00")).buyer(at("10:00"))
    talk.owned(at("10:00:21")).agent(at("10:00:21.030"))

    found = figures("jd_2021", talk, roster=roster)

    assert (found.sessions, found.first_within, found.rounds) == (sessions, sessions, sessions)


def test_16_two_days_later_is_a_second_session() -> None:
    talk = served(at("10:00")).buyer(at("10:00")).agent(at("10:00:10"))
    talk.buyer(at("10:00", NEXT)).agent(at("10:00:20", NEXT))

    first, second = figures("jd_2021", talk), figures("jd_2021", talk, day=NEXT)

    assert (first.sessions, first.first_response_ms) == (1, 10 * SECOND)
    assert (second.sessions, second.first_response_ms) == (1, 20 * SECOND)


def test_17_a_requeue_does_not_shorten_what_the_buyer_waited() -> None:
    talk = served(at("10:00")).buyer(at("10:00")).queued(at("10:05"))
    talk.owned(at("10:05:01"), "B").agent(at("10:05:30"), "B")

    found = figures("qiyu", talk, agent="B")

    assert (found.sessions, found.first_response_ms) == (1, 330 * SECOND)


@pytest.mark.parametrize("profile", RULES)
def test_20_a_late_message_counts_where_it_is_answered(profile: str) -> None:
    closed = served(at("10:00")).buyer(at("10:00")).agent(at("10:00:01")).closed(at("10:01"))
    closed.buyer(at("12:00"), "late").late(at("12:00:01"), "late")
    other = served(at("11:00"), "B").buyer(at("11:00")).agent(at("11:00:01"), "B")
    other.contacted(at("12:00:01"), at("12:00")).agent(at("12:00:10"), "B")

    one, two = figures(profile, closed), figures(profile, other)

    assert (one.rounds, one.sessions, one.unanswered) == (1, 1, 0)
    assert (two.rounds, two.round_ms, two.unanswered) == (2, 11 * SECOND, 0)


def test_21_a_sweep_ends_no_session() -> None:
    talk = served(at("10:00")).buyer(at("10:00")).agent(at("10:00:01"))
    talk.closed(at("10:30:01"), "idle").buyer(at("10:45")).owned(at("10:45:01"))

    assert figures("qiyu", talk).sessions == 1


@pytest.mark.parametrize(("apart", "sessions"), [("11:00", 2), ("10:59:59.999", 1)])
@pytest.mark.parametrize("goodbye", [False, True])
def test_22_a_silence_of_an_hour_ends_a_session(
    apart: str, sessions: int, *, goodbye: bool
) -> None:
    talk = served(at("09:59")).buyer(at("09:59")).agent(at("10:00"))
    if goodbye:
        talk.closed(at("10:30"), "idle").agent(at("10:31"))
    talk.buyer(at(apart)).owned(at("11:00:01")).agent(at("11:00:02"))

    assert figures("qiyu", talk).sessions == sessions


def test_22_who_waits_for_more_than_an_hour_has_one_session_and_one_round() -> None:
    talk = served(at("10:00")).buyer(at("10:00")).agent(at("11:10"))

    found = figures("qiyu", talk)

    assert (found.sessions, found.rounds, found.round_ms) == (1, 1, 70 * MINUTE)


def test_23_an_answer_after_midnight_is_none_of_that_days() -> None:
    talk = served(at("23:00")).buyer(at("23:59:50")).agent(at("00:00:10", NEXT))

    found, then = figures("qiyu", talk), figures("qiyu", talk, day=NEXT)

    assert (found.rounds, found.unanswered, found.sessions) == (0, 1, 1)
    assert found.first_responses == 0
    assert (then.rounds, then.unanswered, then.sessions) == (0, 0, 0)


def test_25_what_is_handed_on_after_midnight_stays_whose_it_was() -> None:
    talk = served(at("23:00")).buyer(at("23:50"))
    talk.owned(at("00:10", NEXT), "B").agent(at("00:11", NEXT), "B")

    first = figures("qiyu", talk, agent="A")
    second = figures("qiyu", talk, agent="B")
    later = figures("qiyu", talk, agent="B", day=NEXT)

    assert (first.unanswered, first.sessions, first.first_responses) == (1, 1, 0)
    assert (second.unanswered, second.sessions, second.rounds) == (0, 0, 0)
    assert (later.rounds, later.round_ms, later.sessions) == (1, MINUTE, 0)


def test_24_who_was_abandoned_was_not_answered_and_begins_anew() -> None:
    talk = served(at("10:00")).buyer(at("10:00")).closed(at("10:00", NEXT), "abandoned")
    talk.buyer(at("10:00:01", NEXT)).owned(at("10:00:02", NEXT)).agent(at("10:00:03", NEXT))

    found, then = figures("qiyu", talk), figures("qiyu", talk, day=NEXT)

    assert (found.sessions, found.unanswered, found.first_responses) == (1, 1, 0)
    assert (then.sessions, then.rounds, then.first_response_ms) == (1, 1, 2 * SECOND)
