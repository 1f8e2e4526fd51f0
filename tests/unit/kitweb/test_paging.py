"""Cursors continue the list they were made for, and nothing else (attack table, row 53)."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from kit.web.paging import CURSOR_LIMIT, BadCursor, Cursors

pytestmark = pytest.mark.unit

CURSORS = Cursors(SecretStr("k" * 32))


def test_a_cursor_gives_its_place_back() -> None:
    cursor = CURSORS.encode({"after": ["2026-11-11", "id"]}, "s1", list_name="orders")
    assert CURSORS.decode(cursor, "s1", list_name="orders") == {"after": ["2026-11-11", "id"]}


def test_a_cursor_of_another_shop_list_or_key_is_refused() -> None:
    cursor = CURSORS.encode({"after": 1}, "s1", list_name="orders")
    for shop, name in (("s2", "orders"), ("s1", "cases"), ("s1", "")):
        with pytest.raises(BadCursor):
            CURSORS.decode(cursor, shop, list_name=name)
    with pytest.raises(BadCursor):
        Cursors(SecretStr("l" * 32)).decode(cursor, "s1", list_name="orders")


def test_every_changed_byte_is_noticed() -> None:
    cursor = CURSORS.encode({"after": 1}, "s1")
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    for index in range(len(raw)):
        changed = bytearray(raw)
        changed[index] ^= 1
        with pytest.raises(BadCursor):
            CURSORS.decode(base64.urlsafe_b64encode(changed).decode().rstrip("="), "s1")


@given(st.text(max_size=CURSOR_LIMIT + 10))
def test_noise_is_no_cursor(text: str) -> None:
    with pytest.raises(BadCursor):
        CURSORS.decode(text, "s1")
