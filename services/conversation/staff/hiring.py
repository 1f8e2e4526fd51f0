"""How staff join a shop, in the transaction of whoever lets them.

The directory is told in the same transaction (H13).
"""

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId, Role, ShopId
from kit import outbox
from kit.errors import Conflict, Unprocessable
from kit.text import refuse_unstorable
from services.conversation.domain import Stamp
from services.conversation.groups.service import groups_named
from services.conversation.staff import repository
from services.conversation.staff.domain import Agent, listed_agent
from services.conversation.staff.schemas import NewStaff


class LoginTaken(Conflict):
    """Logins are unique over the whole installation."""

    slug, title = "login_taken", "This login belongs to somebody else"


async def hire(
    session: AsyncSession, shop_id: ShopId, body: NewStaff, *, password_hash: str, stamp: Stamp
) -> Agent:
    """Create a member of staff. Raises `LoginTaken`, `UnknownGroup`."""
    refuse_unstorable(body.name)
    refuse_unstorable(body.login)
    if body.role is Role.BUYER:
        raise Unprocessable("Buyers are not staff.")
    agent = Agent(
        id=PersonId(stamp.ids.new()),
        shop_id=shop_id,
        login=body.login.strip().lower(),
        name=body.name,
        role=body.role,
        active=True,
        capacity=body.capacity,
        skill_group_ids=await groups_named(session, shop_id, body.skill_groups),
    )
    await enlist(session, agent, password_hash, stamp)
    return agent


async def enlist(session: AsyncSession, agent: Agent, password_hash: str, stamp: Stamp) -> None:
    """Insert a member of staff and tell the directory. Raises `LoginTaken`."""
    if not await repository.add_agent(session, agent, password_hash):
        raise LoginTaken
    await outbox.add(session, listed_agent(agent, stamp))
