"""Warns of cases whose deadline comes near: each deadline once, by whichever process is first."""

from typing import Final

from kit import outbox
from kit.postgres import Database
from services.aftersales import domain, repository

BATCH: Final = 100
"""Cases warned of in one transaction; the sweep goes on until fewer are due."""


class Warnings:
    """Raises `case.deadline_near`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def raise_due(self) -> int:
        """Warn of at most `BATCH` cases whose warning is due; return how many."""
        async with self._db.write_across("cases that fall due") as session:
            near = await repository.claim_near(session, limit=BATCH)
            at = await repository.now(session)
            events = []
            for row, deadline in near:
                case, event = domain.warn(repository.case_facts(row), due_at=deadline.due_at, at=at)
                repository.save_case(row, case, at=at)
                deadline.warned_at = at
                events.append(event)
            await outbox.add(session, *events)
        return len(events)
