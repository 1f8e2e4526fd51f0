"""Text that cannot be stored, is too long, or is personal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.text import (
    BadText,
    clip,
    mask_address,
    mask_name,
    mask_phone,
    refuse_unstorable,
    refuse_unstorable_json,
    whole_phone,
)

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


texts = st.text(
    st.sampled_from(["\\", "u", "0", "\x00", "\ud800", "\udc00", "d", "8", "\n", "亲", '"'])
)


@given(text=texts, escaped=st.booleans())
def test_of_json_is_refused_what_is_refused_of_its_texts(*, text: str, escaped: bool) -> None:
    document = json.dumps({"d": {"text": text}}, ensure_ascii=escaped)
    read_back = json.loads(document)["d"]["text"]  # two escapes may have become one character

    assert refused(document.encode(errors="surrogatepass")) == refused(read_back)


def test_whoever_types_an_escape_has_typed_six_letters() -> None:
    for typed in ("\\u0000", "\\ud800", "\\\\u0000", 'a "\\u0000" b'):
        refuse_unstorable_json(json.dumps({"text": typed}).encode())


@pytest.mark.parametrize(
    "document", [b'{"a":"\x00"}', b'{"a":"\\u12"}', b'"\xed\xa0\x80"', b"\xff"]
)
def test_what_is_no_json_of_storable_texts_is_refused(document: bytes) -> None:
    assert refused(document)


def test_half_a_megabyte_of_backslashes_is_read_at_once() -> None:
    refuse_unstorable_json(b'"' + b"\\\\" * 250_000 + b'\\u0041"')
    assert refused(b'"' + b"\\\\" * 250_000 + b'\\u0000"')


def refused(text: str | bytes) -> bool:
    """Tell whether the text, or the JSON, is refused."""
    try:
        if isinstance(text, bytes):
            refuse_unstorable_json(text)
        else:
            refuse_unstorable(text)
    except BadText:
        return True
    return False


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


@pytest.mark.parametrize(
    ("text", "phones"),
    [
        ("0571-8765 4321", ("0571-8765 4321", "057187654321")),
        ("+4915112345678", ("+4915112345678",)),
        ("8000", ()),
        ("138****8000", ()),
        ("陈小平", ()),
        ("", ()),
    ],
)
def test_a_phone_is_looked_up_whole_alone(text: str, phones: tuple[str, ...]) -> None:
    assert whole_phone(text) == phones


@pytest.mark.parametrize(
    "kept", ["13812348000", "138 1234 8000", "138-1234-8000", "+8613812348000", "+86 138 1234 8000"]
)
@pytest.mark.parametrize(
    "asked",
    [
        "13812348000",
        " 138-1234 8000 ",
        "138 1234 8000",
        "+86-138-1234-8000",
        "１３８１２３４８０００",
    ],
)
def test_a_mobile_is_found_however_it_is_written(asked: str, kept: str) -> None:
    assert kept in whole_phone(asked)


def test_a_mobile_that_lacks_a_digit_is_no_mobile() -> None:
    assert whole_phone("1381234800") == ("1381234800",)
