"""Passwords (attack table, rows 10 and 61)."""

import asyncio
import threading

import pytest
from typing_extensions import override

from kit.web.auth import Passwords, UnfitPassword

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
