"""Turns as they are stored, by which release they may be told, and what is asked of them."""

import pytest

from tests.integration.monitor.rig import Rig

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]


async def test_n3_turns_begin_anew_behind_what_a_release_folded_that_tells_none(rig: Rig) -> None:
    shop = await rig.shop().listed()
    chat = await shop.chat().opened()
    async with rig.monitor():
        await chat.buyer(1)
        await chat.agent(5)
        await chat.auto(6)
        await rig.folded()
    # The last record of the partition might as well have been folded by the release before.
    await rig.change(
        "update turn_spans set told_to = told_to - 1 where partition ="
        " (select partition from conversations where conversation_id = :chat)",
        chat=chat.id,
    )
    async with rig.monitor():
        await chat.buyer(10)
        await rig.folded()

    words = (
        "select buyer_words, agent_words from turns where conversation_id = :chat order by from_ms"
    )
    assert await rig.rows(words, chat=chat.id) == [(1, 1), (1, 0)]
    report = await rig.recomputed()
    assert report.different == 0, report.shown
