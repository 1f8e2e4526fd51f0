"""Rule profiles as data: what loads, what is refused and why, which version rules on a day."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from msgspec.structs import replace

from contracts.people import ConversationId, PersonId, ShopId
from profiles import SHIPPED, ProfileRefused
from services.monitor.calendar.domain import Calendar
from services.monitor.profiles import book as profiles
from services.monitor.profiles.domain import ProfileName
from services.monitor.response.domain import Session
from services.monitor.response.scoring import score_session

pytestmark = pytest.mark.unit

QUARTER = timedelta(minutes=15)

QIYU = (SHIPPED / "qiyu.toml").read_text(encoding="utf-8")


def test_each_shipped_file_holds_the_profile_that_it_is_named_after() -> None:
    names = {path.stem for path in SHIPPED.glob("*.toml")}

    assert set(profiles.load().versions) == names


def test_the_shipped_profiles_share_three_readings() -> None:
    """Each reading is one more track in every conversation: a new one has its price."""
    assert len(profiles.load().readings) == 3


def test_the_newest_version_that_is_in_effect_rules_the_day() -> None:
    old = profiles.parse(QIYU, "old")
    new = profiles.parse(QIYU.replace("2020-01-01", "2026-11-11"), "new")
    book = profiles.ProfileBook.of([new, old])

    assert book.in_force(ProfileName("qiyu"), date(2026, 11, 10)) == old
    assert book.in_force(ProfileName("qiyu"), date(2026, 11, 11)) == new
    assert book.in_force(ProfileName("qiyu"), date(2019, 1, 1)) is None
    assert book.ruling(new.reading.key, date(2026, 11, 12)) == (new,)


@pytest.mark.parametrize(
    ("written", "instead", "named"),
    [
        ('end = "24:00"', 'end = "25:00"', "window.end"),
        ("slow_s = 120", "slow_s = 0", "replies.slow_s"),
        ("slow_s = 120", "slow_s = 120\nsloow_s = 1", "replies.sloow_s"),
        ('unanswered = "exclude"', 'unanswered = "cap"', "cap_s"),
        ('effective = ["agent"]', 'effective = ["auto"]', "effective"),
        ('name = "qiyu"', 'name = "七鱼"', "name"),
        ("[window]", "[window", "not TOML"),
    ],
)
def test_a_profile_that_cannot_be_used_is_refused_by_place(
    written: str, instead: str, named: str
) -> None:
    with pytest.raises(ProfileRefused, match=named):
        profiles.parse(QIYU.replace(written, instead), "qiyu.toml")


def test_two_versions_of_one_date_are_refused() -> None:
    one = profiles.parse(QIYU, "one")

    with pytest.raises(ProfileRefused, match="two versions"):
        profiles.ProfileBook.of([one, one])


def test_what_only_screens_show_makes_no_other_book() -> None:
    """Else every figure would be counted anew because a title was changed."""
    looks = QIYU.replace("Qiyu", "Seven Fish").replace("[20, 100, 180]", "[1, 2, 3]")
    rules = QIYU.replace("within_s = 180", "within_s = 181")

    book, other_looks, other_rules = (
        profiles.ProfileBook.of([profiles.parse(text, "qiyu")]) for text in (QIYU, looks, rules)
    )

    assert looks != QIYU
    assert other_looks.fingerprint == book.fingerprint
    assert other_rules.fingerprint != book.fingerprint


def test_what_is_asked_of_the_rows_alone_makes_no_other_book_and_an_anchor_does() -> None:
    plain = profiles.parse(QIYU, "plain")
    often = profiles.parse(f"{QIYU}\n[slow]\ntimes = 5\n", "often")
    [assigned, said] = [
        profiles.parse(
            QIYU.replace("first_within_s", f'anchor = "{anchor}"\nfirst_within_s'), anchor
        )
        for anchor in ("assigned", "buyer_first_msg")
    ]

    assert (plain.slow_times, often.slow_times) == (3, 5)
    assert plain.digest == often.digest == said.digest != assigned.digest
    # As it was before files could say it: a release that brings it counts nothing anew.
    assert "anchor" not in plain.digest


@pytest.mark.parametrize(
    ("anchor", "took_ms"), [("buyer_first_msg", 12_000), ("to_human", 9_000), ("assigned", 5_000)]
)
def test_a_first_response_is_counted_from_the_profile_s_anchor(anchor: str, took_ms: int) -> None:
    text = QIYU.replace("first_within_s = 30", f'anchor = "{anchor}"\nfirst_within_s = 9')
    settled = Session(
        readings=[],
        conversation_id=ConversationId("c"),
        shop_id=ShopId("s"),
        buyer_id=PersonId("b"),
        agent_id=PersonId("a"),
        started_offset=1,
        started_ms=0,
        to_human_ms=3_000,
        assigned_ms=7_000,
        replied_ms=12_000,
        born_offset=0,
        settled_offset=2,
    )
    calendar = Calendar(ZoneInfo("Asia/Shanghai"))
    score = score_session(profiles.parse(text, "own"), calendar, settled)

    assert score is not None
    assert (score.first_responses, score.first_response_ms) == (1, took_ms)
    assert score.first_within == (took_ms <= 9_000)
    unassigned = score_session(
        profiles.parse(text, "own"), calendar, replace(settled, assigned_ms=None)
    )
    assert unassigned is not None
    assert unassigned.first_responses == (anchor != "assigned")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfileRefused, match="0 profile files"):
        profiles.load(tmp_path)


def test_a_day_ends_at_local_midnight_also_when_clocks_change() -> None:
    berlin = Calendar(ZoneInfo("Europe/Berlin"))
    noon_ms = berlin.midnight(date(2026, 10, 25)) + 13 * 3_600_000

    assert berlin.day(noon_ms) == date(2026, 10, 25)
    assert berlin.day_end(noon_ms) == berlin.midnight(date(2026, 10, 26))
    assert berlin.day_end(noon_ms) - berlin.midnight(date(2026, 10, 25)) == 25 * 3_600_000


@pytest.mark.parametrize(
    ("zone", "changed", "hours"),
    [
        ("Africa/Cairo", date(2026, 4, 23), 24),  # the day behind it begins at one o'clock
        ("Africa/Cairo", date(2026, 4, 24), 23),
        ("Africa/Cairo", date(2026, 10, 29), 25),
        ("America/Santiago", date(2026, 9, 5), 24),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
    ],
)
def test_a_day_ends_where_the_next_begins_also_when_that_is_no_midnight(
    zone: str, changed: date, hours: float
) -> None:
    calendar = Calendar(ZoneInfo(zone))
    begin = calendar.midnight(changed)
    end = calendar.midnight(changed + timedelta(days=1))

    assert end - begin == hours * 3_600_000
    for into_ms in (0, 7_200_000, end - begin - 1):
        assert calendar.day(begin + into_ms) == changed
        assert calendar.day_end(begin + into_ms) == end


def test_every_time_zone_is_whole_quarters_of_an_hour_off() -> None:
    """So no midnight is inside of one, and what a calendar keeps of it is true of all of it."""
    moments = [datetime(2000, 1, 1, 0, 7, tzinfo=UTC) + timedelta(days=29 * n) for n in range(630)]
    odd = {
        name
        for name in available_timezones()
        for zone in [ZoneInfo(name)]
        if any((at.astimezone(zone).utcoffset() or timedelta()) % QUARTER for at in moments)
    }
    assert odd == set()
