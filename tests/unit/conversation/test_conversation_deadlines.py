"""A sweep that a rule refuses ends itself, never the process; one process of all sweeps."""

import pytest
from typing_extensions import override

from kit.clock import ManualClock
from kit.errors import Conflict, Unavailable
from kit.leases import Leases
from kit.postgres import Database
from kit.service.retention import Retention
from services.conversation.sweeping import LEASE, SweepLoop

pytestmark = pytest.mark.unit


class Work:
    def __init__(self, failure: Exception | None = None) -> None:
        self._failure = failure
        self.done = 0

    async def __call__(self) -> None:
        if self._failure is not None:
            raise self._failure
        self.done += 1


class Holding(Leases):
    """Leases without a server: others have the name until `free`, a look finds it lost or not."""

    def __init__(self, *, free: bool = True) -> None:
        super().__init__(Database("postgresql://nowhere/none", schema="none"))
        self.free = free
        self.alive = True
        self.names: set[str] = set()

    @override
    def held(self, name: str) -> bool:
        return name in self.names

    @override
    async def take(self, name: str) -> bool:
        if self.free:
            self.names.add(name)
        return self.free

    @override
    async def check(self) -> None:
        if not self.alive:
            self.names.clear()


async def test_a_refusal_is_left_for_the_next_sweep() -> None:
    await SweepLoop("filling", Work(Conflict("somebody was faster")), leases=Holding())()


@pytest.mark.parametrize("failure", [Unavailable(), ZeroDivisionError()])
async def test_what_is_no_refusal_is_the_roles_to_judge(failure: Exception) -> None:
    with pytest.raises(type(failure)):
        await SweepLoop("filling", Work(failure), leases=Holding())()


async def test_whoever_has_not_the_lease_sweeps_nothing_until_it_is_free() -> None:
    work, leases = Work(), Holding(free=False)
    sweep = SweepLoop("filling", work, leases=leases)

    await sweep()
    assert work.done == 0
    leases.free = True
    await sweep()

    assert work.done == 1
    assert leases.held(LEASE)


async def test_a_lease_that_went_with_its_connection_ends_the_sweeps_until_it_is_taken_again() -> (
    None
):
    work, leases = Work(), Holding()
    sweep = SweepLoop("filling", work, leases=leases)
    await sweep()

    leases.alive = False
    await sweep()
    assert work.done == 1
    leases.alive = True
    await sweep()

    assert work.done == 2


async def test_what_is_forgotten_in_batches_goes_on_until_nothing_is_left() -> None:
    left = [5_000, 5_000, 12]
    retention = Retention(ManualClock())

    async def forget() -> int:
        return left.pop(0) if left else 0

    retention.add(SweepLoop("forgetting", forget, leases=Holding()))

    await retention.sweep()

    assert left == []
