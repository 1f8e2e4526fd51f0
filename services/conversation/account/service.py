"""What somebody is shown of himself, and the password that he gives himself."""

from dataclasses import dataclass

from contracts.people import Role, ShopId
from kit.clock import Clock
from kit.errors import Forbidden, NotFound
from kit.ids import Ids
from kit.postgres import Database
from kit.web.auth import Passwords, Principal
from kit.web.limits import origin_of
from services.conversation.account.schemas import MeView, NewPassword
from services.conversation.buyers import repository as buyers
from services.conversation.domain import Stamp
from services.conversation.groups import repository as groups
from services.conversation.login.schemas import SessionView
from services.conversation.login.service import Sessions, WrongLogin
from services.conversation.staff import repository as staff
from services.conversation.staff.withdrawals import end_staff_sessions


class WrongPassword(Forbidden):
    """The present password is another: not 401, for the token that came with it is good."""

    slug, title = "wrong_password", "The present password is another"


class NoPassword(Forbidden):
    """Buyers come in by their shop's word."""

    slug, title = "no_password", "Only staff sign in by password"


@dataclass(frozen=True)
class Account:
    """The use cases; each begins with who calls."""

    db: Database
    sessions: Sessions
    passwords: Passwords
    clock: Clock
    ids: Ids

    async def me(self, principal: Principal) -> MeView:
        """Show the caller himself. Raises `NotFound` if he is gone."""
        shop_id = ShopId(principal.shop_id)
        async with self.db.read(shop_id) as session:
            if principal.role == Role.BUYER:
                buyer = await buyers.find_buyer(session, principal.subject)
                if buyer is None:
                    raise NotFound
                return MeView(id=buyer.id, role=Role.BUYER, shop_id=buyer.shop_id, name=buyer.name)
            agent = await staff.find_agent(session, principal.subject)
            if agent is None:
                raise NotFound
            codes = {one.id: one.code for one in await groups.groups_of_shop(session, shop_id)}
        return MeView(
            id=agent.id,
            role=agent.role,
            shop_id=agent.shop_id,
            name=agent.name,
            login=agent.login,
            skill_groups=tuple(sorted(codes[one] for one in agent.skill_group_ids)),
            capacity=agent.capacity,
            state=agent.state,
            state_since=agent.state_since,
        )

    async def set_password(
        self, principal: Principal, body: NewPassword, *, address: str
    ) -> SessionView:
        """Change the caller's password, end all his sessions and open one for him to go on with.

        An attempt at his login, right or wrong. Raises `WrongPassword`, `NoPassword`, `TooMany`,
        `Unavailable`, and `UnfitPassword`.
        """
        if principal.role == Role.BUYER:
            raise NoPassword
        origin = origin_of(address)
        async with self.db.read(principal.shop_id) as session:
            agent = await staff.find_agent(session, principal.subject)
        if agent is None:
            raise NotFound
        try:
            agent, stored = await self.sessions.prove(agent.login, body.current, origin)
        except WrongLogin:
            raise WrongPassword from None
        fresh = await self.passwords.hash(body.new)
        async with self.db.write(principal.shop_id) as session:
            locked = await staff.find_agent(session, agent.id, lock=True)
            if locked is None or await staff.password_of(session, agent.id) != stored:
                raise WrongPassword
            await staff.set_password(session, agent.id, fresh)
            agent = await end_staff_sessions(session, locked, Stamp(self.clock.now(), self.ids))
        return await self.sessions.admit(agent, fresh, origin)
