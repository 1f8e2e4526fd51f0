"""Somebody at the console who has a keyboard alone, and sees where he stands after each key."""

from dataclasses import dataclass
from typing import Final

from playwright.async_api import ElementHandle, Error, Locator, Page, expect

FURTHEST: Final = 60
"""Presses of Tab after which somebody says that a thing cannot be reached."""
RING_PX: Final = 6
"""A ring of focus lies within so many px around what has it."""

_STANDS: Final = """() => {
  const at = document.activeElement;
  return at !== null && at !== document.body && at.isConnected && at.checkVisibility();
}"""
_AT: Final = """() => {
  const at = document.activeElement;
  const inner = document.getElementById(at.getAttribute('aria-activedescendant') ?? '');
  return inner ?? at;
}"""
_DESCRIBED: Final = "() => document.activeElement?.outerHTML.slice(0, 160)"
_IS_FOCUSED: Final = "(element) => element === document.activeElement"
# The pages' policy forbids styles in markup, and not those that a script puts together.
_TAKE_RINGS: Final = """() => {
  window.noRings = new CSSStyleSheet();
  window.noRings.replaceSync('*, ::before, ::after { outline-color: transparent !important }');
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, window.noRings];
}"""
_GIVE_RINGS: Final = """() => {
  document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== window.noRings);
}"""


@dataclass(frozen=True)
class Hands:
    """Presses keys on a page; after each of them the focus stands on something that is shown."""

    page: Page

    async def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            await self.page.keyboard.press(key)
            await self._stands(key)

    async def type(self, text: str) -> None:
        """Write where one stands."""
        await self.page.keyboard.type(text)
        await self._stands(text)

    async def are_on(self, target: Locator) -> None:
        """Wait until the focus is there, and see by its ring that it is."""
        await expect(target).to_be_focused()
        await self._sees_it()

    async def go_to(self, target: Locator, key: str = "Tab") -> None:
        """Press one key again and again until one is there."""
        await expect(target).to_be_visible()
        for _ in range(FURTHEST):
            if await target.evaluate(_IS_FOCUSED):
                return await self._sees_it()
            await self.press(key)
        raise AssertionError(f"not reached by {key}: {target}")

    async def use(self, target: Locator, key: str = "Tab") -> None:
        """Go there and press Enter."""
        await self.go_to(target, key)
        await self.press("Enter")

    async def choose(self, name: str) -> None:
        """Take a line of the menu that is open."""
        menu = self.page.get_by_role("menu")
        command = menu.get_by_role("menuitem", name=name)
        await self.use(command.or_(menu.get_by_role("menuitemradio", name=name)), "ArrowDown")

    async def _stands(self, key: str) -> None:
        try:
            await self.page.wait_for_function(_STANDS)
        except Error:
            raise AssertionError(f"after {key} the focus is nowhere") from None

    async def _sees_it(self) -> None:
        """Compare the place with its ring and without: one that is cut off makes no difference."""
        at = (await self.page.evaluate_handle(_AT)).as_element()
        assert at is not None
        shown = await self._picture(at)
        await self.page.evaluate(_TAKE_RINGS)
        without = await self._picture(at)
        await self.page.evaluate(_GIVE_RINGS)
        assert shown != without, f"no ring on {await self.page.evaluate(_DESCRIBED)}"

    async def _picture(self, of: ElementHandle) -> bytes:
        await of.scroll_into_view_if_needed()
        box = await of.bounding_box()
        assert box is not None
        x, y = max(0.0, box["x"] - RING_PX), max(0.0, box["y"] - RING_PX)
        width, height = box["width"] + 2 * RING_PX, box["height"] + 2 * RING_PX
        return await self.page.screenshot(clip={"x": x, "y": y, "width": width, "height": height})
