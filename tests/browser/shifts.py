"""Who is there when a journey begins: an agent at work, a buyer who has said something."""

from contracts.people import Role
from tests.browser.screens import Desk, sign_in
from tests.browser.windows import Window
from tests.world import Person, Shop, World


async def on_duty(window: Window, world: World, shop: Shop, name: str = "小陈") -> Desk:
    """Let a new agent sign in and go online."""
    login = await world.hire(shop, Role.AGENT, name=name)
    desk = await sign_in(await window.tab("/sign-in"), login)
    await desk.go_online()
    return desk


async def waiting(world: World, shop: Shop, name: str, text: str) -> tuple[Person, str]:
    """Let a buyer come in and say something; return him and his conversation."""
    buyer = await world.buyer(shop, name)
    talk = await world.talk(buyer)
    await buyer.say(talk, text)
    return buyer, talk
