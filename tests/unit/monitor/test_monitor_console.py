"""What a screen is told of its shop: as its entry says, and as its profiles rule today."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.conversation import ShopListed
from contracts.people import ShopId
from kit.clock import ManualClock
from profiles import SHIPPED, Levels, Title
from services.monitor.console.domain import CALLED
from services.monitor.console.schemas import ConsoleFacts
from services.monitor.console.service import Console
from services.monitor.directory.rules import Rules
from services.monitor.directory.shops import Directory
from services.monitor.profiles import book as profiles
from wording import Category, Engine

pytestmark = pytest.mark.unit

SHOP = ShopId("s")
NEW_YEAR_IN_CHINA = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)
QIYU = (SHIPPED / "qiyu.toml").read_text(encoding="utf-8")
OLD = QIYU[: QIYU.index("[levels]")].replace('"qiyu"', '"own_night"')
"""A file as shops wrote them before screens asked."""


def no_engine() -> Engine:
    raise AssertionError("a screen's facts ask for no wording")


def facts(
    *measured_by: str,
    folder: Path | None = None,
    zone: str = "Asia/Shanghai",
    actions: dict[str, str] | None = None,
) -> ConsoleFacts:
    """Return what is told of a shop that is listed so."""
    rules = Rules(profiles.load(folder), Directory(), no_engine)
    rules.directory.list_shop(
        ShopListed(
            id="1",
            time=NEW_YEAR_IN_CHINA,
            shop_id=SHOP,
            name="小店",
            version=1,
            time_zone=zone,
            profiles=measured_by,
            wording_actions=actions or {},
        )
    )
    return Console(rules, clock=ManualClock(NEW_YEAR_IN_CHINA)).facts(SHOP)


def folder_of(place: Path, *files: str) -> Path:
    """Return a folder of profiles that holds these files."""
    for number, text in enumerate(files):
        (place / f"{number}.toml").write_text(text, encoding="utf-8")
    return place


def test_a_shop_is_told_by_its_own_entry() -> None:
    told = facts("jd_2021", "taobao_2022", zone="Europe/Berlin")

    assert (told.shop.id, told.shop.name, told.shop.zone) == (SHOP, "小店", "Europe/Berlin")
    assert [one.name for one in told.profiles] == ["jd_2021", "taobao_2022"]
    assert told.levels_profile == "jd_2021"
    jd = told.profiles[0]
    assert jd.levels == Levels(first=(10, 20, 30), later=(20, 100, 180))
    assert jd.title == Title(zh="京东 2021", en="JD 2021")
    assert jd.window.model_dump() == {"by": "session_start", "start": "09:00", "end": "23:00"}


def test_a_profile_that_counts_all_day_ends_at_its_end() -> None:
    assert facts("qiyu").profiles[0].window.end == "24:00"


def test_what_a_shop_does_about_words_is_what_its_policy_says() -> None:
    house = {one.code: one.action for one in facts("qiyu").categories}
    told = {one.code: one.action for one in facts("qiyu", actions={"cold": "confirm"}).categories}

    assert (house["cold"], told["cold"]) == ("warn", "confirm")
    assert told | {"cold": "warn"} == house
    assert (house["insult"], house["anger"]) == ("block", "log")


def test_every_category_has_a_name() -> None:
    assert set(CALLED) == set(Category)


def test_a_shop_that_is_not_listed_yet_is_shown_by_the_houses_rules() -> None:
    rules = Rules(profiles.load(), Directory(), no_engine)
    told = Console(rules, clock=ManualClock(NEW_YEAR_IN_CHINA)).facts(ShopId("new"))

    assert told.levels_profile == "taobao_2022"
    assert told.shop.name == ""


def test_a_file_from_before_screens_asked_is_shown_by_its_name(tmp_path: Path) -> None:
    told = facts("own_night", "qiyu", folder=folder_of(tmp_path, OLD, QIYU))

    assert told.profiles[0].title == Title(zh="own_night", en="own_night")
    assert told.profiles[0].levels is None
    assert told.levels_profile == "qiyu"
    assert facts("own_night", folder=tmp_path).levels_profile is None


def test_levels_follow_the_shops_own_day(tmp_path: Path) -> None:
    """It is 2027 in China already and not yet in Berlin."""
    new = QIYU.replace("2020-01-01", "2027-01-01").replace("[20, 100, 180]", "[5, 10, 15]")
    folder = folder_of(tmp_path, QIYU, new)

    def first(zone: str) -> tuple[int, int, int]:
        levels = facts("qiyu", folder=folder, zone=zone).profiles[0].levels
        assert levels is not None
        return levels.first

    assert first("Asia/Shanghai") == (5, 10, 15)
    assert first("Europe/Berlin") == (20, 100, 180)


def test_a_profile_that_rules_only_later_is_not_shown(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, QIYU.replace("2020-01-01", "2027-01-02"))

    assert facts("qiyu", folder=folder).profiles == []
