"""A database that knows nothing of a partition (H51): the archive reads that one from its start."""

from http import HTTPStatus

import pytest
from sqlalchemy import text

from services.conversation.seed import SeedSettings
from tests.integration.conversation.desk import Platform, started
from tests.integration.conversation.talking import begin, has_text
from tests.waiting import eventually

pytestmark = pytest.mark.integration


async def test_what_was_said_before_the_groups_commit_comes_back_without_a_mark(
    settings: SeedSettings,
) -> None:
    async with started(settings) as platform:
        _, agent, _, talk = await begin(platform)
        _, place = await platform.say(talk, "在吗")
        await eventually(lambda: has_text(agent, talk, "在吗"))
        lost = {"id": talk["id"], "partition": place.partition}
    # Stopping committed the group's offset behind it all; the backup is older than its first word.
    async with started(settings) as platform:
        await _restore(platform, lost)

    async with started(settings) as platform:
        agent = await platform.sign_in(agent.login)

        async def known() -> bool:
            return (await agent.get(f"/v1/conversations/{talk['id']}")).status_code == HTTPStatus.OK

        await eventually(known)
        await eventually(lambda: has_text(agent, talk, "在吗"))
        await platform.service.archive.completeness.look()
        assert await platform.service.archive.completeness.through() is not None


async def _restore(platform: Platform, lost: dict[str, object]) -> None:
    async with platform.service.db.write_across("a test") as session:
        for statement in (
            "delete from messages where conversation_id = :id",
            "delete from conversations where id = :id",
            "delete from marks where topic = 'chat' and partition = :partition",
        ):
            await session.execute(text(statement), lost)
