"""What somebody is shown of himself, his sessions, and the password that he gives himself."""

from dataclasses import dataclass
from typing import Final

from contracts.people import PersonId, Role, ShopId
from kit.clock import Clock
from kit.errors import Forbidden, NotFound
from kit.ids import Ids
from kit.postgres import Database
from kit.web.auth import Passwords, Principal
from kit.web.limits import origin_of
from services.conversation.account.schemas import MeView, NewPassword, OwnSession, OwnSessions
from services.conversation.buyers import repository as buyers
from services.conversation.domain import Stamp, known_form
from services.conversation.groups import repository as groups
from services.conversation.login.service import Sessions, WrongLogin
from services.conversation.staff import repository as staff
from services.conversation.tokens import repository as tokens
from services.conversation.tokens.repository import EndedSession
from services.conversation.tokens.withdrawals import end_other_sessions, end_session

SESSIONS_SHOWN: Final = 100
"""Sessions of one person in a list, those used last."""


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
                return MeView(
                    id=buyer.id,
                    role=Role.BUYER,
                    shop_id=buyer.shop_id,
                    name=buyer.name,
                    sid=principal.sid,
                )
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
            groups=tuple(sorted(codes[one] for one in agent.skill_group_ids)),
            capacity=agent.capacity,
            state=agent.state,
            state_since=agent.state_since,
            sid=principal.sid,
        )

    async def sessions_of(self, principal: Principal) -> OwnSessions:
        """Return the caller's sessions that can be renewed, the one used last first."""
        async with self.db.read(principal.shop_id) as session:
            found = await tokens.sessions_of(
                session, principal.subject, now=self.clock.now(), limit=SESSIONS_SHOWN
            )
        return OwnSessions(
            items=[
                OwnSession(
                    sid=one.sid,
                    opened_at=one.opened_at,
                    used_at=one.used_at,
                    client=one.client or "",
                    current=one.sid == principal.sid,
                )
                for one in found
            ]
        )

    async def end_session(self, principal: Principal, sid: str) -> None:
        """End one of the caller's sessions, on its open sockets too (H13); twice is as once.

        Raises `NotFound` for what is no session of his.
        """
        sid, subject = known_form(sid), PersonId(principal.subject)
        shop_id = ShopId(principal.shop_id)
        async with self.db.write(shop_id) as session:
            # First the person, as a refresh does: it comes wholly before, or finds no token.
            if principal.role == Role.BUYER:
                await buyers.find_buyer(session, subject, lock=True)
            else:
                await staff.find_agent(session, subject, lock=True)
            if await tokens.is_session_of(session, sid, subject):
                stamp = Stamp(self.clock.now(), self.ids)
                await end_session(session, EndedSession(sid, subject, shop_id, stamp.at), stamp)
            elif not await tokens.was_ended(session, sid, subject):
                raise NotFound

    async def set_password(self, principal: Principal, body: NewPassword, *, address: str) -> None:
        """Change the caller's password and end all his sessions but the one that he asks in.

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
            stamp = Stamp(self.clock.now(), self.ids)
            await end_other_sessions(
                session, locked.id, locked.shop_id, but=principal.sid or None, stamp=stamp
            )
