"""Entries about tokens: the newest of a key counts, and a token may have several keys."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from kit.bus.ports import Record
from kit.service.revocations import Revocations
from kit.web.tokens import Principal

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 11, tzinfo=UTC)


@dataclass(frozen=True)
class Entry:
    """What is said under a key; it withdraws roles."""

    key: str
    version: int
    roles: str

    def withdraws(self, *, role: str, shop_id: str, issued_at: datetime) -> bool:
        """Tell whether the role is among those that are sent away."""
        del shop_id, issued_at
        return role in self.roles.split(",")


def read(record: Record) -> Entry | None:
    """Read `version roles`; None for `other`."""
    assert record.key is not None
    assert record.value is not None
    if record.value == b"other":
        return None
    version, _, roles = record.value.decode().partition(" ")
    return Entry(record.key.decode(), int(version), roles)


def said(key: str, value: str | None) -> Record:
    """Return a record of the topic."""
    return Record("t", 0, 0, 0, key.encode(), None if value is None else value.encode())


@pytest.fixture
def revocations() -> Revocations:
    """What is known, of people and of sessions."""
    return Revocations(read, lambda principal: (principal.subject, f"session:{principal.sid}"))


def token(sid: str = "", role: str = "agent") -> Principal:
    """Return whom a token of `p` names."""
    return Principal("p", role, "s", "", "j", AT, AT, sid)


async def test_a_token_falls_by_what_is_said_of_its_person_or_of_its_session(
    revocations: Revocations,
) -> None:
    await revocations([said("session:one", "1 agent"), said("p", "1 clerk"), said("q", "other")])

    assert revocations.revoked(token("one"))
    assert not revocations.revoked(token("two"))
    assert not revocations.revoked(token())
    assert revocations.revoked(token("two", role="clerk"))


async def test_what_is_said_of_a_session_never_hides_what_is_said_of_its_person(
    revocations: Revocations,
) -> None:
    await revocations([said("p", "3 agent"), said("session:one", "1 "), said("p", "2 ")])

    assert revocations.revoked(token("one"))
    assert revocations.revoked(token("two"))


async def test_a_tombstone_lets_go_of_one_key(revocations: Revocations) -> None:
    await revocations([said("session:one", "1 agent"), said("session:two", "1 agent")])

    await revocations([said("session:one", None)])

    assert not revocations.revoked(token("one"))
    assert revocations.revoked(token("two"))
