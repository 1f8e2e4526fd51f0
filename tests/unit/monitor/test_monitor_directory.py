"""Shops in the monitor's memory."""

from datetime import UTC, datetime

import pytest

from contracts.conversation import ShopListed
from contracts.people import ShopId
from services.monitor.directory.shops import Directory

pytestmark = pytest.mark.unit

NOON = datetime(2026, 11, 11, 4, tzinfo=UTC)
HERE, THERE, FAR = ShopId("here"), ShopId("there"), ShopId("far")


def listed(shop: ShopId, zone: str, *, version: int = 1) -> ShopListed:
    """Return a shop's entry."""
    return ShopListed(id="1", time=NOON, shop_id=shop, name="小店", version=version, time_zone=zone)


def test_shops_of_one_time_zone_share_what_its_calendar_remembers() -> None:
    directory = Directory()
    for shop, zone in [(HERE, "Asia/Shanghai"), (THERE, "Asia/Shanghai"), (FAR, "Europe/Berlin")]:
        directory.list_shop(listed(shop, zone))

    assert directory.calendar(HERE) is directory.calendar(THERE)
    assert directory.calendar(HERE) is directory.calendar(ShopId("not listed yet"))
    assert directory.calendar(FAR) is not directory.calendar(HERE)


def test_a_shop_that_moves_leaves_the_others_calendar_alone() -> None:
    directory = Directory()
    for shop in (HERE, THERE):
        directory.list_shop(listed(shop, "Asia/Shanghai"))

    directory.list_shop(listed(THERE, "Europe/Berlin", version=2))

    assert str(directory.calendar(HERE).zone) == "Asia/Shanghai"
    assert str(directory.calendar(THERE).zone) == "Europe/Berlin"
