"""Pictures from both sides: chosen, pasted and dropped, shown small and large, and clean (F27)."""

import io
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from PIL import Image
from playwright.async_api import FilePayload, Locator, Page, expect

from tests.browser.chats import Chat
from tests.browser.shifts import on_duty
from tests.browser.windows import Windows, axe, barriers
from tests.waiting import eventually
from tests.web import NO_TLS
from tests.world import Shop, World

pytestmark = [pytest.mark.journey, pytest.mark.browser, pytest.mark.heavy]

HOME = "48.8584N of Li Lei"
SCRIPT = b"<script>alert(1)</script>"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


def photo(color: str = "teal", size: tuple[int, int] = (640, 480)) -> bytes:
    """Return a picture as a phone takes it, with where it was taken."""
    exif = Image.Exif()
    exif[0x010E] = HOME
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 30.0)
    written = io.BytesIO()
    Image.new("RGB", size, color).save(written, "JPEG", exif=exif)
    return written.getvalue()


@dataclass(frozen=True)
class Pictures:
    """The pictures of a chat, on either side."""

    page: Page

    @property
    def small(self) -> Locator:
        """Those in the thread that are there to see."""
        return self.page.get_by_role("log").get_by_role("img", name="图片")

    @property
    def attachment(self) -> Locator:
        """What is to be sent."""
        return self.page.get_by_role("region", name="要发送的图片")

    async def choose(self, content: bytes, name: str = "IMG_0001.jpg", kind: str = "") -> None:
        """Choose a file of this device."""
        file = FilePayload(name=name, mimeType=kind or "image/jpeg", buffer=content)
        await self.page.locator("input[type=file]").set_input_files(file)

    async def send(self) -> None:
        """Send what was chosen."""
        await self.attachment.get_by_role("button", name="发送图片").click()

    async def shows(self, count: int) -> None:
        """Wait until the thread shows so many, each of them drawn."""
        await expect(self.small).to_have_count(count)
        for number in range(count):
            await expect(self.small.nth(number)).to_have_js_property("naturalWidth", 640)


GIVEN = """async ([how, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], "截图.jpg", { type: "image/jpeg" }));
  const as = { bubbles: true, cancelable: true };
  const event = how === "paste"
    ? new ClipboardEvent("paste", { ...as, clipboardData: data })
    : new DragEvent("drop", { ...as, dataTransfer: data });
  (how === "paste" ? document.activeElement : document.body).dispatchEvent(event);
  return event.defaultPrevented;
}"""
"""Gives the page a file as a person does; tells whether the browser stays on the page."""


async def stored(windows: Windows, shop: Shop) -> list[bytes]:
    """Return the pictures of the shop's one conversation, as whoever may fetches them."""
    [talk] = (await shop.boss.call("GET", "/v1/conversations"))["items"]
    path = f"/v1/conversations/{talk['id']}/messages?order=asc"

    def addresses(page: dict[str, Any]) -> list[str]:
        said = [one["d"] for one in page["items"] if one["d"].get("kind") == "image"]
        return [one["d"]["url"] for one in said]

    urls = addresses(await shop.boss.call("GET", path))
    bearer = {"authorization": f"Bearer {shop.boss.session.token}"}
    async with httpx2.AsyncClient(verify=NO_TLS, headers=bearer) as client:
        return [(await client.get(windows.url + url)).content for url in urls]


async def test_a_picture_arrives_clean(windows: Windows, world: World, shop: Shop) -> None:
    window = await windows.open()
    desk = await on_duty(window, world, shop)
    visitor = await windows.open()
    theirs = Pictures(await visitor.tab(f"/widget/{shop.id}"))
    await Chat(theirs.page).stands("您好，有什么可以帮您？")

    given = photo()
    assert HOME.encode() in given
    await theirs.choose(given)
    await expect(theirs.attachment).to_contain_text("IMG_0001.jpg")
    await theirs.send()
    await expect(theirs.attachment).to_have_count(0)
    await theirs.shows(1)
    await desk.rows.first.click()
    ours = Pictures(desk.page)
    await ours.shows(1)

    await ours.choose(photo("navy") + SCRIPT, "面单.jpg")
    await ours.send()
    await ours.shows(2)
    await theirs.shows(2)

    async def archived() -> bool:
        return len(await stored(windows, shop)) == 2

    await eventually(archived)
    for content in await stored(windows, shop):
        assert HOME.encode() not in content
        assert SCRIPT not in content
        with Image.open(io.BytesIO(content)) as opened:
            assert (opened.format, opened.size) == ("JPEG", (640, 480))
            assert dict(opened.getexif()) == {}

    refused = (
        (SVG, "logo.svg", "image/svg+xml", "只能发送 JPEG、PNG、WebP 或 GIF 图片"),
        (SVG, "logo.png", "image/png", "这个文件不是能显示的图片，没有发出。"),
        (SCRIPT + photo(), "photo.jpg", "image/jpeg", "这个文件不是能显示的图片，没有发出。"),
    )
    for side in (theirs, ours):
        for content, name, kind, sentence in refused:
            await side.choose(content, name, kind)
            if kind != "image/svg+xml":
                await side.send()
            await expect(side.attachment.get_by_role("alert")).to_contain_text(sentence)
            await side.page.keyboard.press("Escape")
            await expect(side.attachment).to_have_count(0)
        await side.shows(2)
    assert visitor.complaints + window.complaints == []


async def test_a_picture_is_pasted_or_dropped_and_opens_large(
    windows: Windows, world: World, shop: Shop
) -> None:
    window, visitor = await windows.open(), await windows.open()
    for one in (window, visitor):
        await one.context.add_init_script(axe())
    desk = await on_duty(window, world, shop)
    page = await visitor.tab(f"/widget/{shop.id}")
    chat, theirs, ours = Chat(page), Pictures(page), Pictures(desk.page)
    await chat.say("看图")
    await chat.shows("看图", "已送达")
    await desk.rows.first.click()
    await desk.conversation.write("还没写完")

    large = list(photo("olive", (4_096, 3_072)))
    await ours.page.evaluate(GIVEN, ["paste", large])
    await expect(ours.attachment).to_contain_text("截图.jpg")
    await ours.page.keyboard.press("Escape")
    await expect(ours.attachment).to_have_count(0)
    await expect(desk.conversation.composer).to_be_focused()
    await ours.page.evaluate(GIVEN, ["paste", large])
    await expect(ours.attachment.get_by_role("button", name="发送图片")).to_be_focused()
    await ours.page.keyboard.press("Enter")
    await expect(ours.small).to_have_js_property("naturalWidth", 2_048)
    await expect(desk.conversation.composer).to_have_value("还没写完")
    assert await theirs.page.evaluate(GIVEN, ["drop", list(photo())])
    await theirs.send()
    await expect(theirs.small).to_have_count(2)

    for side in (theirs, ours):
        await side.small.first.click()
        dialog = side.page.get_by_role("dialog", name="图片")
        await expect(dialog.get_by_role("img")).to_be_visible()
        assert list(await barriers(side.page)) == []
        await side.page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
        await expect(side.page.get_by_role("log")).to_be_visible()
    assert visitor.complaints + window.complaints == []
