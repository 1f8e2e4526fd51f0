"""Pictures over REST: who may send and see one, what becomes of it, and when it goes (F27)."""

import io
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from PIL import Image
from sqlalchemy import text

from contracts.people import SenderKind
from kit.clock import ManualClock
from services.conversation.images.repository import BlobRows
from services.conversation.images.retention import PictureRetention
from tests.integration.conversation.desk import Person, Platform, code, ok
from tests.integration.conversation.talking import begin, close
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

YEAR = timedelta(days=365)


def drawn(kind: str = "JPEG", size: tuple[int, int] = (60, 40), **how: Any) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, "red").save(written, kind, **how)
    return written.getvalue()


async def send(
    person: Person,
    talk: str,
    content: bytes,
    *,
    said: str = "image/jpeg",
    key: str | None = None,
) -> httpx2.Response:
    """Send a picture as this person."""
    platform = person.platform
    headers = {
        "authorization": f"Bearer {person.token}",
        "content-type": said,
        "idempotency-key": key or platform.service.ids.new(),
    }
    url = f"{platform.addresses.http}/v1/conversations/{talk}/images"
    return await platform.client.post(url, content=content, headers=headers)


async def kept(platform: Platform, talk: str) -> list[str]:
    """Return the ids of a conversation's pictures."""
    async with platform.service.db.read_across("a test looks") as session:
        query = text("select id::text from images where conversation_id = :talk order by made_at")
        return list(await session.scalars(query, {"talk": talk}))


async def test_both_sides_send_and_see_pictures_that_were_made_anew(platform: Platform) -> None:
    _, agent, buyer, talk = await begin(platform)
    exif = Image.Exif()
    exif[0x010E] = "48.8584N"
    for sender, reader in ((buyer, agent), (agent, buyer)):
        made = ok(await send(sender, talk["id"], drawn(exif=exif)), 201)
        assert (made["width"], made["height"]) == (60, 40)
        assert made["url"] == f"/v1/images/{talk['id']}/{made['id']}"

        shown = await reader.get(made["url"])

        assert shown.status_code == 200
        assert b"48.8584N" not in shown.content
        with Image.open(io.BytesIO(shown.content)) as opened:
            assert (opened.format, opened.size) == ("JPEG", (60, 40))
        assert {
            name: shown.headers[name]
            for name in ("content-type", "x-content-type-options", "content-security-policy")
        } == {
            "content-type": "image/jpeg",
            "x-content-type-options": "nosniff",
            "content-security-policy": "sandbox; default-src 'none'",
        }
        assert shown.headers["cache-control"] == "private, max-age=31536000, immutable"
        assert shown.headers["vary"] == "Authorization"
        known = {
            "authorization": f"Bearer {reader.token}",
            "if-none-match": shown.headers["etag"],
        }
        again = await platform.client.get(platform.addresses.http + made["url"], headers=known)
        assert (again.status_code, again.content) == (304, b"")


async def test_a_repeat_is_one_picture(platform: Platform) -> None:
    _, _, buyer, talk = await begin(platform)
    given = drawn()
    first = await send(buyer, talk["id"], given, key="same")
    again = await send(buyer, talk["id"], given, key="same")
    other = await send(buyer, talk["id"], drawn(size=(10, 10)), key="same")

    assert again.headers["idempotent-replayed"] == "true"
    assert ok(again, 201) == ok(first, 201)
    assert code(other) == (422, "idempotency_key_reused")
    assert await kept(platform, talk["id"]) == [ok(first, 201)["id"]]


@pytest.mark.parametrize(
    ("given", "said", "refused"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", "unsupported_media_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png", "no_picture"),
        (b"<script>alert(1)</script>", "image/jpeg", "no_picture"),
        (drawn()[:300], "image/jpeg", "no_picture"),
        (b"{}", "application/json", "unsupported_media_type"),
    ],
)
async def test_what_is_no_picture_is_refused_and_leaves_nothing(
    platform: Platform, given: bytes, said: str, refused: str
) -> None:
    _, _, buyer, talk = await begin(platform)
    answer = await send(buyer, talk["id"], given, said=said)
    assert answer.json()["code"] == refused
    assert await kept(platform, talk["id"]) == []


async def test_of_others_there_is_no_conversation_and_no_picture(platform: Platform) -> None:
    shop, agent, buyer, talk = await begin(platform)
    made = ok(await send(buyer, talk["id"], drawn()), 201)
    other = await platform.shop()
    strangers = [await shop.buyer(), await other.buyer(), await other.staff("supervisor")]
    for stranger in strangers:
        assert (await stranger.get(made["url"])).status_code == 404
        assert (await send(stranger, talk["id"], drawn())).status_code == 404
    # An id that is pasted into another chat shows nothing there.
    elsewhere = ok(await strangers[0].post("/v1/conversations", {}), 201)
    pasted = f"/v1/images/{elsewhere['id']}/{made['id']}"
    assert (await strangers[0].get(pasted)).status_code == 404
    assert (await agent.get(pasted)).status_code == 404
    for nothing in (platform.service.ids.new(), "nothing"):
        assert (await agent.get(f"/v1/images/{talk['id']}/{nothing}")).status_code == 404


async def test_of_staff_the_owner_alone_sends_and_the_shop_sees(platform: Platform) -> None:
    shop, agent, _, talk = await begin(platform)
    colleague, leader = await shop.staff(state=None), await shop.staff("supervisor")
    made = ok(await send(agent, talk["id"], drawn()), 201)
    for one in (colleague, leader, shop.boss):
        assert code(await send(one, talk["id"], drawn())) == (403, "no_seat")
        assert (await one.get(made["url"])).status_code == 200
    await close(agent, talk)
    assert code(await send(agent, talk["id"], drawn())) == (403, "no_seat")


async def test_a_picture_that_was_never_sent_goes_after_a_day(platform: Platform) -> None:
    _, _, buyer, talk = await begin(platform)
    sent = ok(await send(buyer, talk["id"], drawn()), 201)
    ok(await send(buyer, talk["id"], drawn(size=(9, 9))), 201)
    said, _ = await platform.say(talk, "图", kind=SenderKind.BUYER)
    body = {"kind": "image", "d": {"url": sent["url"]}, "body_hash": "e" * 32}
    picture = said.model_copy(update={"id": platform.service.ids.new(), **body})
    await platform.publish(picture)

    async def archived() -> bool:
        page = ok(await buyer.get(f"/v1/conversations/{talk['id']}/messages"))
        return any(one["id"] == picture.id for one in page["items"])

    await eventually(archived)
    db, now = platform.service.db, platform.service.clock.now()

    def at(later: timedelta, *, known: bool = True) -> PictureRetention:
        clock = ManualClock(now + later)

        async def through() -> datetime | None:
            return clock.now() if known else None

        return PictureRetention(db, BlobRows(), clock, YEAR, through)

    await at(timedelta(hours=23)).forget()
    await at(timedelta(hours=25), known=False).forget()
    assert len(await kept(platform, talk["id"])) == 2
    while await at(timedelta(hours=25)).forget():
        pass
    assert await kept(platform, talk["id"]) == [sent["id"]]
    while await at(YEAR + timedelta(hours=1)).forget():
        pass
    assert await kept(platform, talk["id"]) == []
    assert (await buyer.get(sent["url"])).status_code == 404
