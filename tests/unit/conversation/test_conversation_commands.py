"""How many commands one person may give (attack table, row 58)."""

from datetime import UTC, datetime

import pytest

from contracts.people import Role
from kit.clock import ManualClock
from kit.errors import TooMany
from kit.web.auth import Principal
from services.conversation.access.routes import STATE_COST, CommandLimits

pytestmark = pytest.mark.unit

EVER = datetime(1970, 1, 1, tzinfo=UTC)


def _person(role: Role, subject: str = "p") -> Principal:
    return Principal(subject, role, "shop", "", "jti", EVER, EVER)


def _let_through(limits: CommandLimits, person: Principal, cost: float = 1.0) -> int:
    count = 0
    try:
        while count < 1_000:
            limits.spend(person, cost)
            count += 1
    except TooMany:
        pass
    return count


def test_a_buyer_gives_few_commands_and_staff_many() -> None:
    limits = CommandLimits(ManualClock())
    assert _let_through(limits, _person(Role.BUYER)) == 30
    assert _let_through(limits, _person(Role.AGENT, "q")) == 300


def test_a_state_costs_more_than_a_command_and_one_person_pays_for_no_other() -> None:
    clock = ManualClock()
    limits = CommandLimits(clock)
    assert _let_through(limits, _person(Role.AGENT), STATE_COST) == 60
    assert _let_through(limits, _person(Role.AGENT, "q"), STATE_COST) == 60
    clock.advance(10)
    assert _let_through(limits, _person(Role.AGENT), STATE_COST) == 4
