"""Whose board somebody is shown over REST: whose he may follow over the socket, and no other."""

from datetime import UTC, datetime

import pytest

from contracts.people import PLATFORM, Role, ShopId
from kit.errors import NotFound
from kit.web.auth import Principal
from services.monitor.access.principals import own_shop, watched_shop

pytestmark = pytest.mark.unit

EVER = datetime(2026, 11, 11, tzinfo=UTC)


def of(shop: str, role: Role) -> Principal:
    return Principal("sue", role, shop, name="", jti="", issued_at=EVER, expires_at=EVER)


def test_an_administrator_of_the_platform_is_shown_the_board_of_any_shop() -> None:
    assert watched_shop(of(PLATFORM, Role.ADMIN), "flag") == ShopId("flag")


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ADMIN])
def test_a_shops_own_people_are_shown_its_board_alone(role: Role) -> None:
    assert watched_shop(of("flag", role), "flag") == ShopId("flag")
    with pytest.raises(NotFound):
        watched_shop(of("flag", role), "other")


def test_who_came_in_by_the_platform_in_another_role_is_of_no_shop() -> None:
    with pytest.raises(NotFound):
        watched_shop(of(PLATFORM, Role.SUPERVISOR), "flag")


def test_what_people_said_in_a_shop_is_for_its_own_people() -> None:
    with pytest.raises(NotFound):
        own_shop(of(PLATFORM, Role.ADMIN), "flag")
