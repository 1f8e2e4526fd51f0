"""What the release before wrote, and still writes while both run, falls due in this one, once."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from kit.postgres import Database
from services.aftersales.cases.service import WARNING
from services.aftersales.work.service import OVERDUE
from tests.infrastructure import Infrastructure, TestDatabase, create_database, drop_database

pytestmark = pytest.mark.integration

BEFORE = "0003"

CASE = """
insert into cases (id, shop_id, order_id, buyer_id, kind, state, version, amount_fen, currency,
    buyer_reason, opened_by, opened_at, updated_at)
values (:id, 's', 'o', 'b', 'refund', :state, 1, 1, 'CNY', 'r', 'b', now(), now())
"""
DEADLINE = """
insert into deadlines (case_id, state, due_at, warn_at)
values (:id, :state, '2026-11-13', '2026-11-12')
"""
WORK = """
insert into work_items (id, shop_id, order_id, buyer_id, kind, attempt, state, due_at, opened_at)
values (:id, 's', :id, 'b', 'verify_address', 1, :state, '2026-11-11', now())
"""


@dataclass(frozen=True)
class Store:
    """The service's schema, and what a process of the release before does in it."""

    made: TestDatabase
    database: Database

    async def upgrade(self) -> None:
        """Bring it to this release."""
        await self.made.migrate("aftersales")

    async def run(self, statement: str, **values: str) -> None:
        async with self.database.write_across("a test") as session:
            await session.execute(text(statement), values)

    async def timers(self) -> set[tuple[str, str, str]]:
        """Return kind, subject and day of every timer."""
        rows = await self._rows("select kind, subject_id, to_char(fire_at, 'DD') from timers")
        return {(row[0], row[1], row[2]) for row in rows}

    async def days(self) -> dict[str, str | None]:
        """Return the day on which each case is due."""
        rows = await self._rows("select id, to_char(due_at, 'DD') from cases")
        return {row[0]: row[1] for row in rows}

    async def unwarned(self) -> list[str]:
        """Return the cases of which the release before would still warn."""
        rows = await self._rows("select case_id from deadlines where warned_at is null")
        return [row[0] for row in rows]

    async def _rows(self, query: str) -> Sequence[Any]:
        async with self.database.read_across("a test") as session:
            return (await session.execute(text(query))).all()


@pytest.fixture
async def before(infra: Infrastructure) -> AsyncIterator[Store]:
    """A schema of the release before, with a payment."""
    made = await create_database(infra)
    await made.migrate("aftersales", revision=BEFORE)
    store = Store(made, Database(made.dsn("aftersales"), schema="aftersales", pool_size=2))
    await store.run(
        "insert into payments (order_id, shop_id, buyer_id, external_id, paid_fen, currency,"
        " paid_at) values ('o', 's', 'b', 'e', 100, 'CNY', now())"
    )
    yield store
    await store.database.close()
    await drop_database(infra, made.name)


async def test_what_stands_there_is_copied_but_for_what_was_said_or_is_over(
    before: Store,
) -> None:
    for case in ("waiting", "warned", "over"):
        state = "rejected" if case == "over" else "requested"
        await before.run(CASE, id=case, state=state)
        if case != "over":
            await before.run(DEADLINE, id=case, state="requested")
    await before.run("update deadlines set warned_at = now() where case_id = 'warned'")
    for work, state in (("open", "open"), ("done", "settled")):
        await before.run(WORK, id=work, state=state)

    await before.upgrade()

    assert await before.timers() == {(WARNING, "waiting", "12"), (OVERDUE, "open", "11")}
    assert await before.days() == {"waiting": "13", "warned": "13", "over": None}


async def test_what_the_release_before_still_writes_falls_due_here(before: Store) -> None:
    await before.upgrade()

    await before.run(CASE, id="new", state="requested")
    await before.run(DEADLINE, id="new", state="requested")
    await before.run(WORK, id="work", state="open")
    assert await before.timers() == {(WARNING, "new", "12"), (OVERDUE, "work", "11")}
    assert await before.days() == {"new": "13"}

    # It replaces a deadline when the case moves on, and deletes it when the case is over.
    await before.run("delete from deadlines where case_id = 'new'")
    assert (await before.timers(), await before.days()) == (
        {(OVERDUE, "work", "11")},
        {"new": None},
    )


async def test_a_case_is_warned_of_by_one_release_alone(before: Store) -> None:
    await before.upgrade()
    for case in ("theirs", "ours"):
        await before.run(CASE, id=case, state="requested")
        await before.run(DEADLINE, id=case, state="requested")

    await before.run("update deadlines set warned_at = now() where case_id = 'theirs'")
    assert await before.timers() == {(WARNING, "ours", "12")}

    await before.run("delete from timers where subject_id = 'ours'")
    assert await before.unwarned() == []
    assert (await before.days())["ours"] == "13"
