"""The audit (capability X4): who did, or tried, what on which object, and how a shop reads it.

A row stands in the transaction of what it tells, and for good. Knows the table that
`kit.tables.audit` makes; must not know what an action means.
"""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)
from sqlalchemy import Table, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from kit.clock import Clock
from kit.ids import Ids, dated_id, uuid7_floor
from kit.postgres import Database
from kit.web import paging
from kit.web.app import Body
from kit.web.paging import CURSOR_LIMIT, PAGE_DEFAULT, PAGE_LIMIT, Cursors, Page
from kit.web.tokens import Principal


def _rfc3339(moment: datetime) -> str:
    """Write a moment as the contracts do, which kit cannot know."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


Moment = Annotated[AwareDatetime, PlainSerializer(_rfc3339, return_type=str, when_used="json")]

FilterText = Annotated[str, StringConstraints(min_length=1, max_length=64)]
"""What a filter names: a person, an object or an action."""


class AuditEntry(BaseModel):
    """Who did, or tried, what on which object; `note` says why, where that was asked for."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    at: Moment
    actor_id: str
    actor_role: str
    actor_shop_id: str = Field(
        description="Another shop, whose people were refused; or `platform`, whose people may act"
    )
    action: str
    object_id: str
    note: str


class AuditFilter(Body):
    """The filters of an audit; nothing else is accepted in its query."""

    actor: FilterText | None = None
    object: FilterText | None = None
    action: FilterText | None = None
    limit: Annotated[int, Field(ge=1, le=PAGE_LIMIT)] = PAGE_DEFAULT
    cursor: Annotated[str | None, Field(min_length=1, max_length=CURSOR_LIMIT)] = None


BY_ID: Final[paging.Order[AuditEntry, str]] = paging.by_id("below")


class Audit:
    """Writes the audit of one service."""

    def __init__(self, table: Table, clock: Clock, ids: Ids) -> None:
        self._table = table
        self._clock = clock
        self._ids = ids

    async def note(
        self,
        session: AsyncSession,
        principal: Principal,
        action: str,
        object_id: str,
        *,
        shop_id: str | None = None,
        note: str = "",
    ) -> None:
        """Record, in this transaction, who did what to which object, and why if he was asked.

        `shop_id` is the object's shop, by default the caller's.
        """
        row = self._row(principal, action, object_id, shop_id=shop_id, note=note)
        await session.execute(insert(self._table).values(row))

    async def note_hourly(
        self,
        session: AsyncSession,
        principal: Principal,
        action: str,
        object_id: str,
        *,
        shop_id: str,
    ) -> None:
        """Record it once an hour, however often and by however many processes it is told.

        Its id begins with the hour, so the row stands in the audit where that began.
        """
        row = self._row(principal, action, object_id, shop_id=shop_id)
        hour = self._clock.now().replace(minute=0, second=0, microsecond=0)
        parts = hour.isoformat(), principal.subject, action, object_id
        row["id"] = dated_id(uuid7_floor(hour), *parts)
        await session.execute(upsert(self._table).values(row).on_conflict_do_nothing())

    def _row(
        self,
        principal: Principal,
        action: str,
        object_id: str,
        *,
        shop_id: str | None,
        note: str = "",
    ) -> dict[str, object]:
        return {
            "id": self._ids.new(),
            "at": self._clock.now(),
            "shop_id": shop_id or principal.shop_id,
            "actor_id": principal.subject,
            "actor_role": principal.role,
            "actor_shop_id": principal.shop_id,
            "action": action,
            "object_id": object_id,
            "note": note,
        }


class AuditPages:
    """Reads the audit of one service, in one snapshot a page."""

    def __init__(self, database: Database, table: Table, cursors: Cursors) -> None:
        self._db = database
        self._table = table
        self._cursors = cursors
        self._list = f"audit {table.schema}"

    async def page(self, principal: Principal, wanted: AuditFilter) -> Page[AuditEntry]:
        """Return a page of the audit of the caller's shop, newest first. Raises `BadCursor`."""
        shop_id = principal.shop_id
        query = paging.page(self._cursors, wanted, by=BY_ID, shop_id=shop_id, list_name=self._list)
        async with self._db.read(shop_id) as session:
            found = await page(
                session,
                self._table,
                shop_id=shop_id,
                wanted=wanted,
                below=query.after,
                limit=query.limit,
            )
        shown, next_cursor = query.cut(found)
        return Page(items=list(shown), next_cursor=next_cursor)


async def page(
    session: AsyncSession,
    table: Table,
    *,
    shop_id: str,
    wanted: AuditFilter,
    limit: int,
    below: str | None = None,
) -> list[AuditEntry]:
    """Return entries of one shop, newest first, at most `limit` and below the id `below`."""
    query = select(*(table.c[name] for name in AuditEntry.model_fields))
    query = query.where(table.c.shop_id == shop_id)
    named = {"actor_id": wanted.actor, "object_id": wanted.object, "action": wanted.action}
    for name, value in named.items():
        if value is not None:
            query = query.where(table.c[name] == value)
    if below is not None:
        query = query.where(table.c.id < below)
    rows = await session.execute(query.order_by(table.c.id.desc()).limit(limit))
    return [AuditEntry.model_validate(row) for row in rows]
