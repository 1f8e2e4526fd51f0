"""Passwords (attack table, rows 10 and 61)."""

import asyncio
import threading

import pytest
from argon2 import extract_parameters
from typing_extensions import override

from kit.web.auth import Passwords, UnfitPassword
from kit.web.turns import LINE_LIMIT, Turns

pytestmark = pytest.mark.unit


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(memory_kib=64, rounds=1)


async def test_only_the_right_password_fits(passwords: Passwords) -> None:
    stored = await passwords.hash("光棍节1111!")
    assert stored.startswith("$argon2id$")
    assert await passwords.verify("光棍节1111!", stored)
    assert not await passwords.verify("光棍节1112!", stored)
    assert not await passwords.verify("x" * 10_000, stored)


async def test_nobody_signs_in_to_an_unknown_account(passwords: Passwords) -> None:
    assert not await passwords.verify("a password that nobody has", None)
    assert not await passwords.verify("anything", "not a hash")


@pytest.mark.parametrize("text", ["", "short", "x" * 257])
async def test_unfit_passwords_are_refused(passwords: Passwords, text: str) -> None:
    with pytest.raises(UnfitPassword):
        await passwords.hash(text)


async def test_a_hash_is_renewed_where_it_cost_less_than_today_and_never_where_it_cost_more() -> (
    None
):
    today = Passwords(memory_kib=128, rounds=2)
    words = "光棍节1111!"
    less_memory = await Passwords(memory_kib=64, rounds=2).hash(words)
    less_rounds = await Passwords(memory_kib=128, rounds=1).hash(words)
    more = await Passwords(memory_kib=256, rounds=3).hash(words)

    for cheap in (less_memory, less_rounds):
        fresh = await today.renewed(words, cheap)
        assert fresh is not None
        assert await today.verify(words, fresh)
        assert await today.renewed(words, fresh) is None
    assert await today.renewed(words, more) is None


async def test_where_too_many_wait_a_hash_stays_as_it_is() -> None:
    today, words = Passwords(memory_kib=128, rounds=2), "光棍节1111!"
    cheap = await Passwords(memory_kib=64, rounds=1).hash(words)
    full = Turns(0)
    waiting = [asyncio.create_task(_turn_of(full)) for _ in range(LINE_LIMIT)]
    await asyncio.sleep(0)
    today.turns = full

    assert await today.renewed(words, cheap) is None

    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def _turn_of(turns: Turns) -> None:
    async with turns.turn(""):
        raise AssertionError("nobody gets a turn")


async def test_what_is_set_without_a_word_costs_what_is_recommended() -> None:
    had = extract_parameters(await Passwords().hash("光棍节1111!"))

    assert (had.memory_cost, had.time_cost) == (65_536, 3)


class Held(Passwords):
    """Passwords whose checks begin and are held."""

    def __init__(self) -> None:
        super().__init__(memory_kib=64, rounds=1)
        self.begun = asyncio.Event()
        self.end = threading.Event()
        self._loop = asyncio.get_running_loop()

    @override
    def _fits(self, password: str, stored: str) -> bool:
        self._loop.call_soon_threadsafe(self.begun.set)
        return self.end.wait(5)


async def test_whoever_is_cancelled_stays_until_his_hash_has_ended() -> None:
    passwords = Held()
    leaving = asyncio.create_task(passwords.verify("光棍节1111!", None))
    await passwords.begun.wait()

    leaving.cancel()
    done, _ = await asyncio.wait([leaving], timeout=0.05)
    assert not done
    passwords.end.set()

    with pytest.raises(asyncio.CancelledError):
        await leaving
