"""Text that cannot be stored, is too long, or is personal."""

import pytest

from kit.text import BadText, clip, mask_address, mask_name, mask_phone, refuse_unstorable

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text", ["", "hello", "亲，您好", "👩\u200d👧", "\u202eright to left", "￿"]
)
def test_what_postgresql_can_store_passes(text: str) -> None:
    refuse_unstorable(text)


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "你\ud800好", "\udfff"])
def test_nul_and_lone_surrogates_are_refused_with_the_cure(text: str) -> None:
    with pytest.raises(BadText, match="Remove") as refused:
        refuse_unstorable(text)
    assert (refused.value.status, refused.value.slug) == (422, "bad_text")


def test_clipping_shows_and_keeps_to_the_limit() -> None:
    assert clip("12345", 5) == "12345"
    assert clip("123456", 5) == "1234…"
    assert clip("123", 0) == "…"


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("13812348000", "138****8000"),
        ("+86 138-1234-8000", "86138****8000"),
        ("8000", "****"),
        ("", "****"),
    ],
)
def test_a_phone_keeps_its_first_and_last_digits(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("name", "masked"),
    [("陈小平", "陈*平"), ("陈平", "陈*"), ("陈", "*"), ("", ""), ("Bartholomew", "B****w")],
)
def test_a_name_keeps_its_ends(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("浙江省杭州市西湖区文三路 123 号", "浙江省杭州市西湖区***"),
        ("北京市朝阳区建国路1号", "北京市朝阳区***"),
        ("广西壮族自治区南宁市青秀区民族大道", "广西壮族自治区南宁市青秀区***"),
        ("上海浦东新区世纪大道1号", "上海浦东新区***"),
        ("12 Main Street", "***"),
        ("", "***"),
    ],
)
def test_an_address_keeps_its_district(address: str, masked: str) -> None:
    assert mask_address(address) == masked
