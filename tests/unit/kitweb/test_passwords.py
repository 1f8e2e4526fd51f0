"""Passwords (attack table, rows 10 and 61)."""

import asyncio

import pytest

from kit.errors import Unavailable
from kit.web.auth import Passwords, UnfitPassword
from kit.web.passwords import WAITING_LIMIT

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


async def test_a_rush_of_logins_is_bounded(passwords: Passwords) -> None:
    stored = await passwords.hash("光棍节1111!")
    answers = await asyncio.gather(
        *(passwords.verify("光棍节1111!", stored) for _ in range(WAITING_LIMIT + 6)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, Unavailable) for answer in answers) == 6
    assert answers.count(True) == WAITING_LIMIT
