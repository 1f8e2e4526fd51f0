"""Numbers to hide are found by shape, boundary and checksum; order and item numbers are not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wording import Action, Category, Engine, Speaker
from wording.numbers import is_identity, may_hold_numbers, passes_luhn

pytestmark = pytest.mark.unit

IDENTITY = "11010519491231002X"
CARD = "6222021234567890128"


def categories(engine: Engine, text: str) -> set[Category]:
    return {hit.category for hit in engine.check(text, speaker=Speaker.AGENT).hits}


@pytest.mark.parametrize(
    "text",
    [
        "快递员的号码13912345678，您联系下",
        "139 1234 5678",
        "139-1234-5678",
        "+8613912345678",
        f"他的身份证{IDENTITY}",
        "店里座机010-62345678",
    ],
)
def test_a_personal_number_is_a_leak_to_confirm(engine: Engine, text: str) -> None:
    verdict = engine.check(text, speaker=Speaker.AGENT)

    assert [hit.category for hit in verdict.hits] == [Category.PII_LEAK]
    assert verdict.action is Action.CONFIRM


@pytest.mark.parametrize(
    "text",
    ["QQ12345678", "扣扣：87654321", f"打到{CARD}", "微信 shop_88king", "vx：abc12345"],
)
def test_an_account_outside_is_off_platform(engine: Engine, text: str) -> None:
    assert Category.OFF_PLATFORM in categories(engine, text)


@pytest.mark.parametrize(
    "text",
    [
        "[数字x]-[数字x]个工作日，电话:[电话x]",
        "订单号13912345678901",
        "运单号：139123456789012",
        "item.jd.com/13912345678.html",
        "货号SKU13912345678",
        "SKU13912345678B",
        "一共1391234元",
        "110105194912310021",
        "6222021234567890123",
        "订单号 13912345678",
    ],
)
def test_a_number_of_the_trade_is_none(engine: Engine, text: str) -> None:
    assert categories(engine, text) == set()


def test_a_wrong_check_digit_is_refused() -> None:
    assert is_identity(IDENTITY)
    assert not is_identity("110105194912310021")
    assert not is_identity("110105194913310021")
    assert passes_luhn(CARD)
    assert not passes_luhn("6222021234567890123")


def test_a_buyer_may_give_a_number(engine: Engine) -> None:
    verdict = engine.check("我的电话13912345678", speaker=Speaker.BUYER)

    assert verdict.action is Action.ALLOW


@settings(max_examples=200, deadline=None)
@given(plain=st.text(alphabet="0a9z退款"))
def test_the_quick_look_passes_exactly_what_holds_five_signs_in_a_row(plain: str) -> None:
    runs = "".join(char if char.isascii() else " " for char in plain).split()

    assert may_hold_numbers(plain) is any(len(run) >= 5 for run in runs)
