"""Cursors continue the list they were made for, and nothing else (attack table, row 53)."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from kit.web import paging
from kit.web.paging import CURSOR_LIMIT, BadCursor, Cursors, Page, Paging
from services.aftersales.cases import service as cases
from services.aftersales.work import service as work
from services.conversation.history import service as history
from services.conversation.presence import service as states
from services.conversation.staff import service as staff
from services.monitor.evidence import service as monitor
from services.orders.trade import service as orders

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


# ---- pages


@dataclass(frozen=True)
class Row:
    """A row of a list."""

    id: str
    at: datetime


NOON: Final = datetime(2026, 11, 11, 12, tzinfo=UTC)
ROWS: Final = [Row(f"r{number}", NOON.replace(minute=number // 2)) for number in range(5)]
BY_ID: Final[paging.Order[Row, str]] = paging.by_id("id")
BY_TIME: Final[paging.Order[Row, tuple[datetime, str]]] = paging.by_time(lambda row: row.at)


def page(limit: int, cursor: str | None, *, rows: Sequence[Row] = ROWS) -> Page[str]:
    """Return a page as a service reads it."""
    query = paging.page(CURSORS, Paging(limit, cursor), by=BY_ID, shop_id="s1", list_name="rows")
    after = query.after or ""
    return query.show([row for row in rows if row.id > after][: query.limit], lambda row: row.id)


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 6])
def test_pages_show_every_row_once_and_end_with_the_last(limit: int) -> None:
    pages = [page(limit, None)]
    while (cursor := pages[-1].next_cursor) is not None:
        pages.append(page(limit, cursor))

    assert [name for one in pages for name in one.items] == [row.id for row in ROWS]
    assert len(pages) == -(-len(ROWS) // limit), "no empty page at the end"


def test_a_list_without_rows_is_one_empty_page() -> None:
    assert page(5, None, rows=[]) == Page[str](items=[], next_cursor=None)


def test_rows_of_one_time_are_told_apart_by_their_ids() -> None:
    first = paging.page(CURSORS, Paging(3), by=BY_TIME, shop_id="s1", list_name="rows")
    shown, cursor = first.cut(ROWS[: first.limit])

    second = paging.page(CURSORS, Paging(3, cursor), by=BY_TIME, shop_id="s1", list_name="rows")
    assert [row.id for row in shown] == ["r0", "r1", "r2"]
    assert second.after == (ROWS[2].at, "r2")


@pytest.mark.parametrize(
    "kept", [{}, {"id": 7, "at": NOON.isoformat()}, {"id": "r1", "at": "noon"}, {"id": "r1"}]
)
def test_a_place_of_another_form_is_no_cursor_of_the_list(kept: dict[str, Any]) -> None:
    cursor = CURSORS.encode(kept, "s1", list_name="rows")

    with pytest.raises(BadCursor):
        paging.page(CURSORS, Paging(3, cursor), by=BY_TIME, shop_id="s1", list_name="rows")


AN_ID: Final = {"id": "i"}
LISTS: Final[tuple[tuple[Any, Mapping[str, Any], Mapping[str, Any], object], ...]] = (
    (orders.BY_ID, AN_ID, {"below": "i"}, "i"),
    (cases.BY_ID, AN_ID, {"below": "i"}, "i"),
    (
        work.BY_OPENING,
        AN_ID | {"opened_at": NOON},
        {"at": "2026-11-11T12:00:00+00:00", "id": "i"},
        (NOON, "i"),
    ),
    (
        history.BY_OPENING,
        AN_ID | {"opened_at": NOON},
        {"at": "2026-11-11T12:00:00+00:00", "id": "i"},
        (NOON, "i"),
    ),
    (history.BY_POSITION, {"generation": 1, "log_offset": 7}, {"p": [1, 7]}, (1, 7)),
    (staff.BY_ID, AN_ID, {"id": "i"}, "i"),
    (states.BY_ID, AN_ID, {"id": "i"}, "i"),
    (monitor.FLAGS, {"at_ms": 9, "message_id": "i"}, {"at": 9, "id": "i"}, (9, "i")),
    (monitor.INCIDENTS, {"held_ms": 9, "incident_id": "i"}, {"at": 9, "id": "i"}, (9, "i")),
)
"""Of each list: its order, a row, what a cursor keeps of it, and the place that is read from."""


@pytest.mark.parametrize(("order", "row", "kept", "place"), LISTS)
def test_cursors_that_are_out_in_the_world_go_on(
    order: paging.Order[Any, Any], row: Mapping[str, Any], kept: Mapping[str, Any], place: object
) -> None:
    assert order.keep(SimpleNamespace(**row)) == kept
    assert order.place(kept) == place
