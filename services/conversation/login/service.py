"""Who may come in: staff by password, buyers by their shop's word, visitors by asking.

Issues every token of the platform and withdraws them again; knows no conversation.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId, Role
from kit.clock import Clock
from kit.errors import NotFound, Unauthorized, Unavailable
from kit.ids import Ids
from kit.postgres import Database
from kit.text import clip, refuse_unstorable
from kit.web.auth import BadToken, Passwords, Principal, TokenIssuer
from kit.web.limits import origin_of
from kit.web.tokens import LIFETIME_LIMIT_S
from services.conversation.buyers import repository as buyers
from services.conversation.buyers.domain import Buyer
from services.conversation.buyers.withdrawals import end_buyer_sessions
from services.conversation.domain import Stamp
from services.conversation.login import families, repository
from services.conversation.login.claims import ShopTokens
from services.conversation.login.limits import FAMILIAR, LoginLimits
from services.conversation.login.schemas import PersonView, SessionView
from services.conversation.shops import repository as shops
from services.conversation.staff import repository as staff
from services.conversation.staff.domain import Agent
from services.conversation.staff.withdrawals import end_staff_sessions
from services.conversation.tokens import repository as tokens
from services.conversation.tokens.repository import EndedSession, RefreshToken
from services.conversation.tokens.withdrawals import end_session

STAFF_STAYS: Final = timedelta(hours=16)
"""A refresh token of staff: a long shift."""

BUYER_STAYS: Final = timedelta(days=7)
"""A refresh token of a buyer or visitor."""

CLIENT_LIMIT: Final = 200
"""Characters that are kept of how a client calls itself."""

ADMISSIONS: Final = 3
"""How often a session waits for the end of the second in which the person's others were ended; then
it is answered 503."""


class WrongLogin(Unauthorized):
    """Login or password is wrong; the answer never says which."""

    slug, title = "wrong_login", "Login or password is wrong"


@dataclass(frozen=True)
class Sessions:
    """Opens, renews and ends sessions. Every method is one transaction of its own."""

    db: Database
    issuer: TokenIssuer
    passwords: Passwords
    shop_tokens: ShopTokens
    limits: LoginLimits
    clock: Clock
    ids: Ids

    async def login(self, login: str, password: str, *, address: str, client: str) -> SessionView:
        """Open a session for staff. Raises `WrongLogin`, `TooMany`, `Unavailable`.

        Cancel it when the caller leaves: who waits for his turn then has made no attempt.
        """
        name, origin = login.strip().lower(), origin_of(address)
        refuse_unstorable(name)
        for _ in range(ADMISSIONS):
            agent, stored = await self.prove(name, password, origin)
            fresh = await self.passwords.renewed(password, stored)
            opened = await self._admit(agent, stored, fresh=fresh, origin=origin, client=client)
            if opened is not None:
                return opened
        raise Unavailable

    async def prove(self, login: str, password: str, origin: str) -> tuple[Agent, str]:
        """Return who has this login and password, with the stored hash; an attempt either way.

        Raises `WrongLogin`, `TooMany`, `Unavailable`.
        """
        with self.limits.attempt(login, origin) as attempt:
            # In the turn: a crowd must not take the database's connections while it waits.
            async with self.passwords.turns.turn(origin, line=attempt.line):
                async with self.db.read_across("a login names no shop") as session:
                    agent, stored = await staff.find_login(session, login) or (None, None)
                    known = agent.id if agent is not None else PersonId(self.ids.new())  # as long
                    since = self.clock.now() - FAMILIAR
                    familiar = await repository.is_known(session, known, origin, since=since)
                if not familiar:
                    attempt.count_login()
                attempt.begun = True
                fits = await self.passwords.verify(password, stored)
            if agent is None or stored is None or not fits or not agent.active:
                raise WrongLogin
            attempt.right = True
        return agent, stored

    async def refresh(self, refresh_token: str) -> SessionView:
        """Go on with a session. Raises `BadToken` if the token is unknown, over or withdrawn.

        A spent one goes on as long as what it was spent for was not used (`login.families`).

        The person is locked before the token, as whatever ends his sessions does: a refresh comes
        wholly before that, and its new token ends too, or wholly after it and finds none.
        """
        hashed = _hash(refresh_token)
        async with self.db.write_across("a token is found by its hash") as session:
            seen = await tokens.find_refresh(session, hashed)
            if seen is None:
                raise BadToken
            person = await _lock_person(session, seen)
            token = await tokens.find_refresh(session, hashed, lock=True)
            now = self.clock.now()
            if person is None or token is None or token.expires_at <= now:
                raise BadToken
            if _begun(token) < person.not_before:
                raise BadToken
            if await families.spend(session, token, now=now):
                return await self._open(session, person, heir_of=token)
            await _end(session, token, person, stamp=Stamp(now, self.ids))
        raise BadToken  # only now: raising inside the block would undo the end of the family

    async def end(self, refresh_token: str) -> None:
        """End the session that this token is of, spent or not. Raises `BadToken` if it is unknown.

        The person is locked first, so that a refresh under way leaves no token behind.
        """
        hashed = _hash(refresh_token)
        async with self.db.write_across("a token is found by its hash") as session:
            seen = await tokens.find_refresh(session, hashed)
            if seen is None:
                raise BadToken
            person = await _lock_person(session, seen)
            await _end(session, seen, person, stamp=Stamp(self.clock.now(), self.ids))

    async def logout(self, principal: Principal) -> None:
        """End all sessions of the caller, on every open socket too (H13).

        The moment is taken under the person's lock: a refresh that held it before may have begun
        the next second, and its token would outlive one taken earlier.
        """
        async with self.db.write(principal.shop_id) as session:
            if principal.role == Role.BUYER:
                buyer = await buyers.find_buyer(session, principal.subject, lock=True)
                if buyer is not None:
                    stamp = Stamp(self.clock.now(), self.ids)
                    await end_buyer_sessions(session, buyer, stamp)
            else:
                agent = await staff.find_agent(session, principal.subject, lock=True)
                if agent is not None:
                    stamp = Stamp(self.clock.now(), self.ids)
                    await end_staff_sessions(session, agent, stamp)

    async def buyer(self, shop_id: str, token: str, *, client: str) -> SessionView:
        """Open a session for a buyer whose shop vouches for him. Raises `BadToken`."""
        refuse_unstorable(shop_id)
        async with self.db.read(shop_id) as session:
            shop = await shops.find_shop(session, shop_id)
        if shop is None or not shop.lets_buyers_in:
            raise BadToken
        vouched = self.shop_tokens.read(shop, token)
        for _ in range(ADMISSIONS):
            async with self.db.write(shop.id) as session:
                kept = await buyers.keep_buyer(session, vouched.buyer, told=vouched.told)
                if kept.not_before <= self.clock.now():
                    return await self._open(session, kept, client=client)
            await _wait_until(kept.not_before, self.clock)
        raise Unavailable

    async def visitor(self, shop_id: str, name: str, *, address: str, client: str) -> SessionView:
        """Open a session for somebody unknown.

        Raises `NotFound` for a shop that does not exist, `TooMany`.
        """
        refuse_unstorable(shop_id)
        refuse_unstorable(name)
        self.limits.visitor_origins.spend(origin_of(address))
        async with self.db.write(shop_id) as session:
            shop = await shops.find_shop(session, shop_id)
            if shop is None or not shop.lets_buyers_in:
                raise NotFound
            self.limits.visitors.spend(shop.id)
            visitor = Buyer(id=PersonId(self.ids.new()), shop_id=shop.id, name=name)
            kept = await buyers.keep_buyer(session, visitor, told=())
            return await self._open(session, kept, client=client)

    async def _admit(
        self, seen: Agent, stored: str, *, fresh: str | None, origin: str, client: str
    ) -> SessionView | None:
        """Open the session of somebody whose password was right, and store its `fresh` hash.

        None if another hash is there by now: of another password, or he signs in twice at once and
        the other one stored a fresh one. Raises `WrongLogin`, `TooMany`, `Unavailable`.
        """
        for _ in range(ADMISSIONS):
            async with self.db.write(seen.shop_id) as session:
                agent = await staff.find_agent(session, seen.id, lock=True)
                now = self.clock.now()
                if agent is None or not agent.active:
                    raise WrongLogin
                if await staff.password_of(session, agent.id) != stored:
                    return None
                if agent.not_before <= now:
                    if fresh is not None:
                        await staff.set_password(session, agent.id, fresh)
                    await repository.keep(session, agent.id, origin, at=now)
                    return await self._open(session, agent, client=client)
            await _wait_until(agent.not_before, self.clock)
        raise Unavailable

    async def _open(
        self,
        session: AsyncSession,
        person: Agent | Buyer,
        *,
        heir_of: RefreshToken | None = None,
        client: str | None = None,
    ) -> SessionView:
        """Make a token and what renews it; as an heir it is of the same session and client."""
        self.limits.sessions.spend(person.id)
        now = self.clock.now()
        staff = isinstance(person, Agent)
        role = person.role if isinstance(person, Agent) else Role.BUYER
        text = secrets.token_urlsafe(32)
        sid = self.ids.new() if heir_of is None else heir_of.family
        if heir_of is not None:
            client = heir_of.client
        await tokens.add_refresh(
            session,
            RefreshToken(
                hash=_hash(text),
                family=sid,
                subject=person.id,
                kind="staff" if staff else "buyer",
                expires_at=now + (STAFF_STAYS if staff else BUYER_STAYS),
                created_at=now,
                parent=None if heir_of is None else heir_of.hash,
                opened_at=now if heir_of is None else heir_of.opened_at or heir_of.created_at,
                client=None if client is None else clip(client, CLIENT_LIMIT),
            ),
        )
        return SessionView(
            token=self.issuer.issue(
                subject=person.id, role=role, shop_id=person.shop_id, name=person.name, sid=sid
            ),
            expires_at=now.replace(microsecond=0) + timedelta(seconds=LIFETIME_LIMIT_S),
            refresh_token=text,
            person=PersonView(id=person.id, role=role, shop_id=person.shop_id, name=person.name),
        )


async def _wait_until(not_before: datetime, clock: Clock) -> None:
    """Let the second of a logout pass: a token of that second would count as withdrawn.

    Outside a transaction, or a few people's logouts would hold every connection.
    """
    await clock.sleep(min((not_before - clock.now()).total_seconds(), 1.0))


async def _lock_person(session: AsyncSession, token: RefreshToken) -> Agent | Buyer | None:
    """Return whom a token is of, if he may come in."""
    if token.kind == "buyer":
        return await buyers.find_buyer(session, token.subject, lock=True)
    agent = await staff.find_agent(session, token.subject, lock=True)
    return agent if agent is not None and agent.active else None


async def _end(
    session: AsyncSession, token: RefreshToken, person: Agent | Buyer | None, *, stamp: Stamp
) -> None:
    """End the session of a token; of somebody who was sent away every token is withdrawn."""
    if person is None:
        await tokens.forget_family(session, token.family)
        return
    ended = EndedSession(token.family, person.id, person.shop_id, stamp.at)
    await end_session(session, ended, stamp)


def _begun(token: RefreshToken) -> datetime:
    """Return when the token was issued."""
    stays = BUYER_STAYS if token.kind == "buyer" else STAFF_STAYS
    return token.created_at or token.expires_at - stays


def _hash(refresh_token: str) -> bytes:
    return hashlib.sha256(refresh_token.encode()).digest()
