"""A refresh whose answer was lost costs nothing, and two who hold one login meet soon.

Attack table, row 8. Time passes by moving what is stored back.
"""

import pytest
from sqlalchemy import text

from tests.integration.conversation.desk import Person, Platform, code, ok

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

ENDED = (401, "bad_token")


async def test_an_answer_that_was_lost_costs_nothing_after_ten_minutes_of_silence(
    platform: Platform,
) -> None:
    person = await _signed_in(platform)
    await _renewed(platform, person.refresh_token)
    await _passed(platform, person, minutes=10)

    again = await _renewed(platform, person.refresh_token)
    await _passed(platform, person, minutes=10)
    once_more = await _renewed(platform, person.refresh_token)

    assert again != once_more
    last = await _renewed(platform, once_more)
    assert await _renewed(platform, last)


async def test_a_thief_who_comes_first_is_met_when_the_owner_goes_on(platform: Platform) -> None:
    person = await _signed_in(platform)
    stolen = await _renewed(platform, person.refresh_token)
    await _passed(platform, person, minutes=10)
    owners = await _renewed(platform, person.refresh_token)

    assert code(await platform.refresh(stolen)) == ENDED
    assert code(await platform.refresh(owners)) == ENDED
    assert await _kept(platform, person) == 0


async def test_a_thief_who_goes_on_first_is_met_by_the_owner(platform: Platform) -> None:
    person = await _signed_in(platform)
    stolen = await _renewed(platform, person.refresh_token)
    thiefs = await _renewed(platform, stolen)
    await _passed(platform, person, minutes=1)

    assert code(await platform.refresh(person.refresh_token)) == ENDED
    assert code(await platform.refresh(thiefs)) == ENDED


async def test_a_thief_within_the_seconds_of_a_reload_is_met_at_the_next_refresh(
    platform: Platform,
) -> None:
    person = await _signed_in(platform)
    owners = await _renewed(platform, person.refresh_token)
    thiefs = await _renewed(platform, person.refresh_token)

    goes_on = await _renewed(platform, owners)
    assert code(await platform.refresh(thiefs)) == ENDED
    assert code(await platform.refresh(goes_on)) == ENDED


@pytest.mark.parametrize("came_last", [0, 1])
async def test_a_reload_in_the_middle_goes_on_with_whichever_answer_came_last(
    platform: Platform, came_last: int
) -> None:
    person = await _signed_in(platform)
    answers = [await _renewed(platform, person.refresh_token) for _ in range(2)]

    goes_on = await _renewed(platform, answers[came_last])

    assert await _renewed(platform, goes_on)


async def test_what_the_release_before_has_spent_is_spent_for_good(platform: Platform) -> None:
    person = await _signed_in(platform)
    heir = await _renewed(platform, person.refresh_token)
    await _passed(platform, person, minutes=1)
    async with platform.service.db.write_across("a test") as session:
        forgotten = "update refresh_tokens set parent = null where subject = :id"
        await session.execute(text(forgotten), {"id": person.id})

    assert code(await platform.refresh(person.refresh_token)) == ENDED
    assert code(await platform.refresh(heir)) == ENDED


async def _signed_in(platform: Platform) -> Person:
    return await (await platform.shop()).staff(state=None)


async def _renewed(platform: Platform, token: str) -> str:
    found: str = ok(await platform.refresh(token))["refresh_token"]
    return found


async def _passed(platform: Platform, person: Person, *, minutes: int) -> None:
    """Let so much time pass since any of the person's tokens was used."""
    earlier = (
        "update refresh_tokens set used_at = used_at - make_interval(mins => :minutes)"
        " where subject = :id"
    )
    async with platform.service.db.write_across("a test") as session:
        await session.execute(text(earlier), {"id": person.id, "minutes": minutes})


async def _kept(platform: Platform, person: Person) -> int:
    async with platform.service.db.read_across("a test") as session:
        found = await session.execute(
            text("select count(*) from refresh_tokens where subject = :id"), {"id": person.id}
        )
        return int(found.scalar_one())
