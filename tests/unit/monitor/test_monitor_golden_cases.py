"""The golden cases of metrics.md, which must hold exactly, each on the shipped profiles.

Those that count buyers are in tests/integration/monitor/test_monitor_golden_by_buyer.py.
"""

from datetime import date, datetime
from functools import cache
from typing import Self
from zoneinfo import ZoneInfo

import msgspec
import pytest

from contracts.people import PersonId, SenderKind
from profiles import SHIPPED
from services.monitor.calendar.domain import Calendar
from services.monitor.profiles import book as profiles
from services.monitor.profiles.domain import Profile, ProfileName
from services.monitor.response import scoring
from services.monitor.response.domain import Outcome, Round, Score
from tests.unit.monitor.told import BUYER, Told, machine

pytestmark = pytest.mark.unit

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 11, 11)
ANNE, BEN = PersonId("anne"), PersonId("ben")


@cache
def book() -> profiles.ProfileBook:
    return profiles.load()


def clock(text: str, day: date = DAY) -> int:
    """Milliseconds of a Shanghai wall clock reading."""
    moment = datetime.fromisoformat(f"{day.isoformat()}T{text:0>8}")
    return round(moment.replace(tzinfo=SHANGHAI).timestamp() * 1000)


class Chat(Told):
    """One conversation under one profile, owned by Anne from the start."""

    def __init__(self, profile: str) -> None:
        super().__init__(machine(book().readings))
        self.profile = profile
        self.standing = msgspec.structs.replace(self.standing, owner=ANNE, seat=1, version=1)
        self.version = 1

    def says_at(
        self,
        kind: SenderKind,
        at: str,
        *,
        by: PersonId | None = None,
        seat: int | None = None,
        day: date = DAY,
    ) -> Self:
        """Somebody speaks: the buyer, Anne, or `by`."""
        sender = by or (BUYER if kind is SenderKind.BUYER else ANNE)
        return self.says(kind, clock(at, day), sender, seat=seat)

    def buyer(self, at: str, day: date = DAY) -> Self:
        """The buyer speaks."""
        return self.says_at(SenderKind.BUYER, at, day=day)

    def agent(
        self, at: str, by: PersonId = ANNE, day: date = DAY, *, seat: int | None = None
    ) -> Self:
        """An agent speaks."""
        return self.says_at(SenderKind.AGENT, at, by=by, day=day, seat=seat)

    def score(self, agent: PersonId | None = None) -> Score:
        total = Score()
        rules = book().in_force(ProfileName(self.profile), DAY)
        assert rules is not None
        calendar = Calendar(SHANGHAI)
        for ended in self.rounds:
            if rules.reading.key in ended.readings and agent in {None, ended.agent_id}:
                total += _score(rules, calendar, ended) or Score()
        for settled in self.sessions:
            if rules.reading.key in settled.readings and agent in {None, settled.agent_id}:
                total += scoring.score_session(rules, calendar, settled) or Score()
        return total

    def of(self, profile: str) -> list[Round]:
        rules = book().in_force(ProfileName(profile), DAY)
        assert rules is not None
        return [ended for ended in self.rounds if rules.reading.key in ended.readings]


def test_case_1_a_reply_after_three_minutes_is_not_within_them_though_the_buyer_asked_twice() -> (
    None
):
    chat = Chat("taobao_3min").buyer("10:10:15").buyer("10:15:20").agent("10:18:10")

    assert (chat.score().within, chat.score().rounds) == (0, 1)


def test_case_2_the_next_round_answered_in_time_makes_it_one_of_two() -> None:
    chat = Chat("taobao_3min").buyer("10:10:15").buyer("10:15:20").agent("10:18:10")

    chat.buyer("10:18:30").agent("10:19:00")

    assert (chat.score().within, chat.score().rounds) == (1, 2)


def test_case_3_ten_questions_never_answered_are_one_round_not_answered() -> None:
    chat = Chat("taobao_3min")
    for minute in range(10):
        chat.buyer(f"20:{minute:02}:00")

    chat.over(clock("23:59:59"))

    assert (chat.score().within, chat.score().rounds) == (0, 1)


def test_case_4_a_session_that_started_before_nine_is_left_out_by_jd() -> None:
    early = Chat("jd_2021").buyer("08:56:00").agent("09:01:00")

    assert early.score() == Score()


def test_case_4_a_reply_after_31_seconds_is_none_of_one_within_thirty() -> None:
    late = Chat("jd_2021").buyer("09:00:00").agent("09:00:31").score()

    assert (late.first_within, late.sessions) == (0, 1)


def test_case_5_douyin_counts_only_the_part_up_to_midnight() -> None:
    next_day = date(2026, 11, 12)
    chat = Chat("douyin_2022").buyer("22:00:00").agent("22:00:10")
    chat.buyer("22:59:00").agent("22:59:05").buyer("23:58:00").agent("23:58:59")
    chat.buyer("00:00:10", next_day).agent("00:59:00", day=next_day)

    assert (chat.score().rounds, chat.score().round_ms) == (3, 74_000)


def test_the_threshold_of_pdd_is_a_number_in_its_file() -> None:
    text = (SHIPPED / "pdd.toml").read_text(encoding="utf-8")
    hour = profiles.parse(text.replace("\nwithin_s = 300", "\nwithin_s = 3600"), "pdd.toml")
    chat = Chat("pdd").buyer("10:00:00").agent("10:59:59").buyer("12:00:00").agent("13:00:01")

    scores = [_score(hour, Calendar(SHANGHAI), ended) for ended in chat.of("pdd")]

    assert [score and score.within for score in scores] == [1, 0]


@pytest.mark.parametrize(
    ("reply", "taobao_ms", "kuaimai_rounds"), [("10:09:59", 599_000, 1), ("10:10:01", 600_000, 0)]
)
def test_case_7_ten_minutes_of_silence_cap_taobao_and_end_the_session_of_kuaimai(
    reply: str, taobao_ms: int, kuaimai_rounds: int
) -> None:
    taobao = Chat("taobao_2022").buyer("10:00:00").agent(reply)
    kuaimai = Chat("kuaimai").buyer("10:00:00").agent(reply)

    assert (taobao.score().rounds, taobao.score().round_ms) == (1, taobao_ms)
    assert kuaimai.score().rounds == kuaimai_rounds
    assert kuaimai.score().round_ms == (599_000 if kuaimai_rounds else 0)


def test_case_8_a_transfer_without_reply_leaves_the_first_account_one_unanswered_round() -> None:
    chat = Chat("taobao_2022").buyer("10:00:00").assigned(clock("10:00:20"), BEN)

    chat.agent("10:00:50", by=BEN)

    first, second = chat.of("taobao_2022")
    assert (first.outcome, first.agent_id) == (Outcome.TRANSFERRED, ANNE)
    assert chat.score(ANNE) == Score(rounds=1, unanswered=1, round_ms=600_000, slow=1)
    assert (second.opened_ms, second.agent_id) == (clock("10:00:20"), BEN)
    assert second.waiting_since_ms == clock("10:00:00")
    assert chat.score(BEN).round_ms == 30_000
    assert chat.score(BEN).first_response_ms == 50_000


def test_case_9_an_automatic_reply_changes_nothing() -> None:
    plain = Chat("taobao_2022").buyer("10:00:00").agent("10:00:40")
    greeted = Chat("taobao_2022").buyer("10:00:00")
    greeted.says_at(SenderKind.AUTO, "10:00:01").agent("10:00:40")

    assert greeted.score() == plain.score()


def test_an_assist_bot_answers_under_taobao_and_not_under_jd() -> None:
    chat = Chat("taobao_2022").buyer("10:00:00").says_at(SenderKind.ASSIST_BOT, "10:00:05")
    chat.agent("10:00:45")

    assert chat.score().round_ms == 5_000
    assert [ended.duration_ms for ended in chat.of("jd_2021")] == [45_000]


def test_a_reply_on_the_next_day_counts_as_unanswered_as_it_did_at_midnight() -> None:
    next_day = date(2026, 11, 12)
    chat = Chat("taobao_2022").buyer("22:59:00")
    at_midnight = Chat("taobao_2022").buyer("22:59:00").over(clock("23:59:59"))

    chat.agent("08:00:00", day=next_day)

    assert chat.score() == at_midnight.score()
    assert chat.score().round_ms == 600_000


def test_a_contact_within_ten_minutes_of_the_close_is_the_same_session_under_jd() -> None:
    chat = Chat("jd_2021").buyer("10:00:00").agent("10:00:05").closed(clock("10:01:00"))
    chat.buyer("10:10:59").assigned(clock("10:11:00"), ANNE).agent("10:11:30")

    assert chat.score().sessions == 1
    assert chat.score().rounds == 2


def test_a_contact_ten_minutes_after_the_close_is_a_new_session_under_jd() -> None:
    chat = Chat("jd_2021").buyer("10:00:00").agent("10:00:05").closed(clock("10:01:00"))
    chat.buyer("10:11:00").assigned(clock("10:11:01"), ANNE).agent("10:11:30")

    assert (chat.score().sessions, chat.score().first_within) == (2, 2)


def test_a_reply_from_a_lost_seat_closes_no_round() -> None:
    chat = Chat("taobao_2022").buyer("10:00:00").assigned(clock("10:00:10"), BEN)

    chat.says_at(SenderKind.AGENT, "10:00:12", by=ANNE, seat=1)
    chat.says_at(SenderKind.AGENT, "10:00:30", by=BEN, seat=2)

    answered = [e for e in chat.of("taobao_2022") if e.outcome is Outcome.ANSWERED]
    assert [(e.agent_id, e.duration_ms) for e in answered] == [(BEN, 20_000)]


def test_a_reply_that_outruns_its_assignment_answers_as_the_owner() -> None:
    chat = Chat("taobao_2022").queued(clock("09:59:59"))
    chat.buyer("10:00:00").says_at(SenderKind.AGENT, "10:00:07", by=BEN, seat=3)
    chat.assigned(clock("10:00:02"), BEN)

    answered = chat.of("taobao_2022")
    assert [(e.agent_id, e.duration_ms) for e in answered] == [(BEN, 7_000)]
    assert chat.standing.owner == BEN


def _score(rules: Profile, calendar: Calendar, ended: Round) -> Score | None:
    return scoring.score_round(rules, ended, scoring.RoundMoments.of(calendar, ended))
