"""Whose an object is: a buyer's own is his, and of a shop's all is its staff's."""

import pytest

from contracts.people import Role
from kit.admission import BUYER, Owner, is_theirs
from kit.clock import ManualClock
from kit.web.auth import Principal

pytestmark = pytest.mark.unit

OWNER = Owner("shop", "buyer")


def principal(role: str, subject: str = "somebody", shop: str = "shop") -> Principal:
    now = ManualClock().now()
    return Principal(subject, role, shop, name="", jti="", issued_at=now, expires_at=now)


def test_the_buyers_role_is_the_contracts() -> None:
    assert Role.BUYER.value == BUYER


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.BUYER}))
def test_what_a_shop_has_is_its_staffs(role: Role) -> None:
    assert is_theirs(principal(role), OWNER)
    assert not is_theirs(principal(role, shop="other"), OWNER)


def test_a_buyer_has_his_own_alone() -> None:
    assert is_theirs(principal(BUYER, "buyer"), OWNER)
    assert not is_theirs(principal(BUYER), OWNER)
    assert not is_theirs(principal(BUYER, "buyer", shop="other"), OWNER)
    assert not is_theirs(principal(BUYER), Owner("shop"))
