"""Words in chats, found again: by whom, how much of them, and where they stand."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from contracts.people import SenderKind
from kit.postgres import DatabaseBusy
from services.conversation.search import repository
from services.conversation.search.domain import keys_of
from services.conversation.search.repository import Wanted
from tests.integration.conversation.desk import Person, Platform, Shop, code, ok
from tests.integration.conversation.talking import archived, begin, has_text
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PATH = "/v1/search/messages"
SAID = ("有iPhone 15吗", "退款和物流都要查", "只要退款", "价保，保护", "价保护多久", "订单T0042")
NEVER = datetime(2100, 1, 1, tzinfo=UTC)
LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"
ASK = text(f"""
select * from found_words(:shop, cast(:keys as bigint[]), '2000-01-01', '2100-01-01',
    '2100-01-01', '{LAST}', null, 9)
""")


async def test_a_word_of_two_characters_finds_its_message_and_its_conversation(
    platform: Platform,
) -> None:
    _, agent, _, talk = await begin(platform)
    said, _ = await platform.say(talk, "昨天买的，今天降价了，能退差价吗？")
    await platform.say(talk, "价差", kind=SenderKind.BUYER)

    found = await _found(agent, "差价", 1)

    [hit] = found["items"]
    assert (hit["message_id"], hit["conversation_id"]) == (said.id, talk["id"])
    assert (hit["by"], hit["sender_id"]) == ("buyer", talk["buyer_id"])
    assert hit["excerpt"] == "昨天买的，今天降价了，能退差价吗？"
    assert [one["id"] for one in found["conversations"]] == [talk["id"]]
    assert (found["partial"], found["next_cursor"]) == (False, None)
    [item] = [one for one in await archived(agent, talk) if one["id"] == said.id]
    assert hit["position"] == item["position"]


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("IPHONE", ["有iPhone 15吗"]),
        ("退款 物流", ["退款和物流都要查"]),
        ("价保护", ["价保护多久"]),
        ("ｔ００４２", ["订单T0042"]),
        ("phone", []),
        ("没有的词", []),
    ],
)
async def test_all_words_as_they_stand_and_no_others(
    platform: Platform, query: str, texts: list[str]
) -> None:
    _, agent, _, talk = await begin(platform)
    for words in (
        "有iPhone 15吗",
        "退款和物流都要查",
        "只要退款",
        "价保，保护",
        "价保护多久",
        "订单T0042",
    ):
        await platform.say(talk, words)
    await platform.say(talk, "到此为止")
    await _found(agent, "到此为止", 1)

    found = ok(await _search(agent, query))

    assert [one["excerpt"] for one in found["items"]] == texts


async def test_pages_go_back_in_time_and_a_cursor_is_of_its_query_alone(platform: Platform) -> None:
    _, agent, _, talk = await begin(platform)
    await _say(platform, talk, *(f"第{number}次问发票" for number in range(5)))
    await _found(agent, "发票", 5)

    first = ok(await _search(agent, "发票", limit=2))
    second = ok(await _search(agent, "发票", limit=2, cursor=first["next_cursor"]))
    third = ok(await _search(agent, "发票", limit=2, cursor=second["next_cursor"]))

    pages = [[one["excerpt"][1] for one in page["items"]] for page in (first, second, third)]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]
    assert third["next_cursor"] is None
    other = await _search(agent, "次问", cursor=first["next_cursor"])
    assert code(other) == (422, "bad_cursor")


async def test_another_shop_finds_nothing_and_a_buyer_may_not_look(platform: Platform) -> None:
    _, agent, buyer, talk = await begin(platform)
    await platform.say(talk, "只有我们知道的暗号")
    await _found(agent, "暗号", 1)
    other, stranger, _, elsewhere = await begin(platform)
    await platform.say(elsewhere, "我们也有口令")
    await _found(stranger, "口令", 1)

    assert ok(await _search(stranger, "暗号"))["items"] == []
    assert ok(await _search(other.boss, "暗号"))["items"] == []
    assert (await _search(buyer, "暗号")).status_code == 403


async def test_the_owners_function_answers_for_the_transactions_shop_alone(
    platform: Platform,
) -> None:
    shop, agent, _, talk = await begin(platform)
    await platform.say(talk, "只有我们知道的暗号")
    [hit] = (await _found(agent, "暗号", 1))["items"]
    wanted = _wanted(shop, "暗号")

    async with platform.service.db.read(shop.id) as session:
        own = await repository.found(session, wanted, limit=9, timeout_ms=5_000)
    assert [str(row.message_id) for row in own] == [hit["message_id"]]

    other = await platform.shop()
    async with platform.service.db.read(other.id) as session:
        # A plan may begin with the messages, of which that shop has none, and never ask.
        with suppress(DBAPIError):
            assert await repository.found(session, wanted, limit=9, timeout_ms=5_000) == []
    with pytest.raises(DBAPIError, match="about another shop"):
        async with platform.service.db.read(other.id) as session:
            await session.execute(ASK, {"shop": shop.id, "keys": list(wanted.keys)})


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ("差", "invalid"),
        ("好 吗", "query_too_short"),
        ("%_%_%_", "query_too_short"),
        ("😀😀", "query_too_short"),
        ("差" * 65, "invalid"),
        ("差价\u0000", "invalid"),
    ],
)
async def test_what_cannot_be_looked_up_is_refused(
    platform: Platform, query: str, refused: str
) -> None:
    shop = await platform.shop()

    assert code(await _search(shop.boss, query)) == (422, refused)
    assert await _audited(platform, shop) == []


async def test_each_search_is_in_the_audit(platform: Platform) -> None:
    shop = await platform.shop()
    leader = await shop.staff("supervisor")

    for query in ("差价", "退款 物流"):
        ok(await _search(leader, query))

    assert await _audited(platform, shop) == ["差价", "退款 物流"]


async def test_who_said_it_and_when_narrow_it(platform: Platform) -> None:
    _, agent, _, talk = await begin(platform)
    seated = ok(await agent.get(f"/v1/conversations/{talk['id']}"))
    before = platform.service.clock.now() - timedelta(minutes=1)
    asked, _ = await platform.say(talk, "能开发票吗", time=before)
    told, _ = await platform.say(seated, "可以开发票", kind=SenderKind.AGENT)
    await _found(agent, "发票", 2)

    assert await _ids(agent, agent=agent.id) == [told.id]
    assert await _ids(agent, agent=talk["buyer_id"]) == [asked.id]
    half = timedelta(seconds=30)
    between = {"from": (asked.time - half).isoformat(), "to": (asked.time + half).isoformat()}
    assert await _ids(agent, **between) == [asked.id]
    later = told.time + timedelta(seconds=1)
    assert await _ids(agent, **{"from": later.isoformat()}) == []


async def test_what_is_found_in_time_is_answered_as_a_part(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, agent, _, talk = await begin(platform)
    await _say(platform, talk, *(f"第{number}次问保修" for number in range(3)))
    await _found(agent, "保修", 3)
    whole = repository.found
    looks: list[Wanted] = []

    async def slow(session: Any, wanted: Wanted, **how: Any) -> Any:
        looks.append(wanted)
        if len(looks) > 1:
            raise DatabaseBusy
        return await whole(session, wanted, **(how | {"limit": 2}))

    with monkeypatch.context() as patched:
        patched.setattr("services.conversation.search.service.LOOK", 2)
        patched.setattr(repository, "found", slow)
        part = ok(await _search(agent, "保修"))
        stuck = ok(await _search(agent, "保修", cursor=part["next_cursor"]))
    rest = ok(await _search(agent, "保修", cursor=part["next_cursor"]))

    assert part["partial"] is True
    assert (stuck["items"], stuck["partial"]) == ([], True)
    assert stuck["next_cursor"] == part["next_cursor"]
    assert [one["excerpt"][1] for one in part["items"]] == ["2", "1"]
    assert rest["partial"] is False
    assert [one["excerpt"][1] for one in rest["items"]] == ["0"]


async def test_what_was_said_by_then_is_found_and_the_answer_says_when_that_is(
    platform: Platform,
) -> None:
    _, agent, _, talk = await begin(platform)
    said, _ = await platform.say(talk, "请问有现货吗")

    async def reached() -> bool:
        through = (await _answered(agent, "没人说过"))["indexed_through"]
        return through is not None and through > said.time.isoformat()

    await eventually(reached)

    found = await _answered(agent, "现货")
    assert [one["message_id"] for one in found["items"]] == [said.id]


async def test_the_index_is_made_again_from_the_archive_and_nothing_stands_there_twice(
    platform: Platform,
) -> None:
    shop, agent, _, talk = await begin(platform)
    await platform.say(talk, "补录的内容")
    await _found(agent, "补录", 1)

    async with platform.service.db.write_across("a test") as session:
        await session.execute(text("update words_reach set next_offset = 0, generation = 1"))
        await session.execute(text("delete from words where shop_id = :shop"), {"shop": shop.id})

    await _found(agent, "补录", 1)


async def test_a_page_around_a_message_goes_on_both_ways(platform: Platform) -> None:
    _, agent, buyer, talk = await begin(platform)
    said = [(await platform.say(talk, f"第{number:02}句"))[0] for number in range(20)]
    await eventually(lambda: has_text(agent, talk, "第19句"))
    path = f"/v1/conversations/{talk['id']}/messages"

    page = ok(await agent.get(path, around=said[10].id, limit=4))
    place = next(one["position"] for one in page["items"] if one["id"] == said[10].id)
    assert ok(await agent.get(path, at=f"{place[0]}-{place[1]}", limit=4)) == page

    assert _texts(page) == ["第11句", "第10句", "第09句", "第08句"]
    older = ok(await agent.get(path, cursor=page["next_cursor"], limit=2))
    assert _texts(older) == ["第07句", "第06句"]
    newer = ok(await agent.get(path, cursor=page["previous_cursor"], limit=2, order="asc"))
    assert _texts(newer) == ["第12句", "第13句"]
    alone = ok(await agent.get(path, around=said[10].id, limit=1))
    assert _texts(alone) == ["第10句"]
    assert {"next_cursor", "previous_cursor"} <= alone.keys()
    upwards = ok(await buyer.get(path, around=said[19].id, limit=4, order="asc"))
    assert _texts(upwards) == ["第17句", "第18句", "第19句"]
    assert upwards["next_cursor"] is None
    assert "previous_cursor" in upwards


async def test_a_message_of_another_conversation_is_around_nothing(platform: Platform) -> None:
    shop, agent, _, talk = await begin(platform)
    said, _ = await platform.say(talk, "这一边")
    await eventually(lambda: has_text(agent, talk, "这一边"))
    other = await shop.buyer()
    elsewhere = ok(await other.post("/v1/conversations"), 201)

    for person, place in ((agent, elsewhere), (other, elsewhere)):
        path = f"/v1/conversations/{place['id']}/messages"
        assert code(await person.get(path, around=said.id)) == (404, "not_found")
    refused = await other.get(f"/v1/conversations/{talk['id']}/messages", around=said.id)
    assert code(refused) == (404, "not_found")


async def _say(platform: Platform, talk: Mapping[str, Any], *said: str) -> None:
    """Say things one second after the other, the last of them now."""
    now = platform.service.clock.now()
    for number, words in enumerate(said, 1):
        await platform.say(talk, words, time=now - timedelta(seconds=len(said) - number))


async def _search(person: Person, query: str, **params: Any) -> httpx2.Response:
    return await person.get(PATH, q=query, **params)


async def _answered(person: Person, query: str) -> dict[str, Any]:
    """Search as often as it takes: who looks again and again is told to wait in between."""

    async def answer() -> dict[str, Any] | None:
        found = await _search(person, query)
        return None if found.status_code == httpx2.codes.TOO_MANY_REQUESTS else ok(found)

    told = await eventually(answer)
    assert told is not None
    return told


async def _found(person: Person, query: str, count: int) -> dict[str, Any]:
    """Wait until so many messages are found, without using up what the person may ask."""
    db = person.platform.service.db
    wanted = _wanted_in(person.shop_id, query)

    async def there() -> bool:
        async with db.read(person.shop_id) as session:
            rows = await repository.found(session, wanted, limit=99, timeout_ms=5_000)
        return len(rows) >= count

    await eventually(there)
    found = ok(await _search(person, query))
    assert len(found["items"]) == count
    return found


def _wanted(shop: Shop, query: str) -> Wanted:
    return _wanted_in(shop.id, query)


def _wanted_in(shop_id: str, query: str) -> Wanted:
    since = datetime(2000, 1, 1, tzinfo=UTC)
    return Wanted(shop_id, keys_of(shop_id, query), since, NEVER, (NEVER, LAST))


async def _ids(person: Person, **params: Any) -> list[str]:
    return [one["message_id"] for one in ok(await _search(person, "发票", **params))["items"]]


def _texts(page: Mapping[str, Any]) -> list[str]:
    return [one["d"]["d"]["text"] for one in page["items"] if one["type"] == "chat.message.v1"]


async def _audited(platform: Platform, shop: Shop) -> list[str]:
    wanted = text(
        "select note from audit where shop_id = :shop and action = 'messages.searched' order by id"
    )
    async with platform.service.db.read(shop.id) as session:
        return list((await session.execute(wanted, {"shop": shop.id})).scalars())
