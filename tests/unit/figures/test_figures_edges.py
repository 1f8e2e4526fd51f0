"""Where the definitions leave two readings, the one that was chosen; each test names its line."""

import pytest

from contracts.people import SenderKind
from tests.faults.figures.counting import nearest
from tests.unit.figures.scripts import NEXT, RULES, Script, at, figures, served

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


def test_what_opens_behind_the_midnight_of_the_handing_to_people_is_not_counted() -> None:
    talk = served(at("22:00")).buyer(at("22:00")).agent(at("22:00:05"))
    talk.buyer(at("22:50")).agent(at("23:40")).buyer(at("00:10", NEXT)).agent(at("00:10:05", NEXT))

    assert figures("douyin_2022", talk).rounds == 2
    assert figures("douyin_2022", talk, day=NEXT).rounds == 0


def test_what_is_open_counts_nowhere_while_its_day_goes_on() -> None:
    talk = served(at("10:00")).buyer(at("10:00"))

    assert figures("taobao_2022", talk, now=at("23:59:59.999")).rounds == 0
    assert figures("taobao_2022", talk, now=at("00:00", NEXT)).unanswered == 1


def test_an_unanswered_round_is_slow_only_if_it_lasted_so_long() -> None:
    short = served(at("10:00")).buyer(at("10:00")).closed(at("10:00:05"))
    long = served(at("10:00")).buyer(at("10:00")).closed(at("10:02:00.001"))

    assert figures("taobao_3min", short, long).slow == 1
    assert figures("qiyu", short, long).slow == 0


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
