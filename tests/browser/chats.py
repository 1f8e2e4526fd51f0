"""A shop's chat as its buyer sees and uses it, and pages of other sites that carry it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from playwright.async_api import FrameLocator, Locator, Page, expect

CLOSING = b"HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\nconnection: close\r\n"


@dataclass(frozen=True)
class Chat:
    """The chat, in a page of its own or in a frame."""

    page: Page | FrameLocator

    @property
    def composer(self) -> Locator:
        """Where the buyer writes."""
        return self.page.get_by_role("textbox", name="消息")

    @property
    def log(self) -> Locator:
        """What was said."""
        return self.page.get_by_role("log")

    def bubble(self, text: str) -> Locator:
        """Return the line with this text."""
        return self.log.get_by_role("listitem").filter(has_text=text)

    async def say(self, text: str) -> None:
        """Type as a person does, and press Enter."""
        await self.composer.press_sequentially(text)
        await self.composer.press("Enter")

    async def shows(self, text: str, state: str = "") -> None:
        """Wait until the text is there once, in this state of sending if one is named."""
        await expect(self.bubble(text)).to_have_count(1)
        await expect(self.bubble(text)).to_contain_text(state)

    async def stands(self, words: str) -> None:
        """Wait until the chat says this about how it stands."""
        await expect(self.page.get_by_text(words)).to_be_visible()


def in_frame(page: Page) -> Chat:
    """Return the chat that a page carries."""
    return Chat(page.frame_locator("iframe[title='咨询客服']"))


@asynccontextmanager
async def site(desk: str, shop_id: str, *, policy: str) -> AsyncIterator[str]:
    """Serve another site's only page, with the shop's chat in it; yield its origin."""
    markup = (
        "<!doctype html><html lang='zh-CN'><meta name='viewport' content='width=device-width'>"
        "<title>另一个站点</title><main><h1>另一个站点</h1></main>"
        f"<script async src='{desk}/widget.js' data-shop='{shop_id}'></script></html>"
    ).encode()
    head = CLOSING + f"content-security-policy: {policy}\r\n".encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head + f"content-length: {len(markup)}\r\n\r\n".encode() + markup)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://localhost:{port}"
    finally:
        server.close()
