"""Who may come in: staff by password, buyers by their shop's word, visitors by asking.

Issues every token of the platform and withdraws them again; knows no conversation.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import jwt
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.people import PersonId, Role, ShopId
from kit import outbox
from kit.clock import Clock
from kit.errors import NotFound, Unauthorized
from kit.ids import Ids, derived_id
from kit.postgres import Database
from kit.text import clip, refuse_unstorable
from kit.web.auth import BadToken, Passwords, Principal, TokenIssuer
from kit.web.limits import AttemptLimiter, KeyedBuckets
from kit.web.tokens import LEEWAY_S, LIFETIME_LIMIT_S
from services.conversation.domain import Stamp
from services.conversation.domain.people import (
    Agent,
    Buyer,
    Shop,
    listed_agent,
    listed_buyer,
)
from services.conversation.repository import people
from services.conversation.repository.people import RefreshToken
from services.conversation.schemas.people import PersonView, SessionView

STAFF_STAYS: Final = timedelta(hours=16)
"""A refresh token of staff: a long shift."""

BUYER_STAYS: Final = timedelta(days=7)
"""A refresh token of a buyer or visitor."""

TWICE_WITHIN: Final = timedelta(seconds=10)
"""A refresh token used again this soon is a client that lost its answer, later a thief."""

LOGIN_ATTEMPTS: Final = 10
LOGIN_WINDOW_S: Final = 300.0
"""Failed attempts at one login name within the window; more are answered 429."""

ADDRESS_ATTEMPTS: Final = 200
"""Failed attempts from one address within the window: many people share one."""

TIERS: Final = range(10)
"""Ranks of buyers."""

CLAIM_LIMIT: Final = 200
"""Characters of what a shop's token says: a longer name, phone or address is cut, a longer `sub`
refused."""

_PROFILE: Final = frozenset({"name", "phone", "address", "tier"})
"""Claims that change a known buyer; one that the token does not carry changes nothing (H46)."""


class WrongLogin(Unauthorized):
    """Login or password is wrong; the answer never says which."""

    slug, title = "wrong_login", "Login or password is wrong"


class ShopSecrets:
    """Derives the secret of each shop, so that none is stored."""

    def __init__(self, key: SecretStr) -> None:
        self._key = key.get_secret_value().encode()

    def of(self, shop_id: str, version: int) -> str:
        """Return the shop's secret of that version."""
        return hmac.digest(self._key, f"{shop_id}\n{version}".encode(), "sha256").hex()

    def accepted(self, shop: Shop) -> tuple[str, ...]:
        """Return what buyers' tokens may be signed with: the newest secret and the one before."""
        versions = range(shop.secret_version, max(shop.secret_version - 2, 0), -1)
        return tuple(self.of(shop.id, version) for version in versions)


@dataclass(frozen=True)
class Doorkeepers:
    """How often somebody may knock."""

    logins: AttemptLimiter
    addresses: AttemptLimiter
    visitors: KeyedBuckets

    @classmethod
    def at(cls, clock: Clock, *, visitors_per_minute: int) -> "Doorkeepers":
        """Return fresh limits, counted in this process."""
        return cls(
            AttemptLimiter(LOGIN_ATTEMPTS, LOGIN_WINDOW_S, clock=clock),
            AttemptLimiter(ADDRESS_ATTEMPTS, LOGIN_WINDOW_S, clock=clock),
            KeyedBuckets(visitors_per_minute / 60, visitors_per_minute, clock=clock),
        )


@dataclass(frozen=True)
class Sessions:
    """Opens, renews and ends sessions. Every method is one transaction of its own."""

    db: Database
    issuer: TokenIssuer
    passwords: Passwords
    shop_secrets: ShopSecrets
    limits: Doorkeepers
    clock: Clock
    ids: Ids

    async def login(self, login: str, password: str, *, address: str) -> SessionView:
        """Open a session for staff. Raises `WrongLogin`, `TooMany`."""
        name = login.strip().lower()
        refuse_unstorable(name)
        self.limits.addresses.check(address)
        self.limits.logins.check(name)
        async with self.db.read() as session:
            found = await people.find_login(session, name)
        agent, stored = found or (None, None)
        fits = await self.passwords.verify(password, stored)
        if agent is None or not fits or not agent.active:
            self.limits.addresses.failed(address)
            self.limits.logins.failed(name)
            raise WrongLogin
        self.limits.logins.succeeded(name)
        await self._wait_until(agent.not_before)
        async with self.db.write() as session:
            return await self._open(session, agent)

    async def refresh(self, refresh_token: str) -> SessionView:
        """Go on with a session. Raises `BadToken` if the token is unknown, spent or withdrawn."""
        now = self.clock.now()
        async with self.db.write() as session:
            token = await people.lock_refresh(session, _hash(refresh_token))
            if token is None or token.expires_at <= now:
                raise BadToken
            stolen = token.used_at is not None and now - token.used_at > TWICE_WITHIN
            if stolen:
                await people.forget_family(session, token.family)
            else:
                await people.use_refresh(session, token.hash, token.used_at or now)
                return await self._renew(session, token)
        raise BadToken  # only now: raising inside the block would undo the end of the family

    async def logout(self, principal: Principal) -> None:
        """End all sessions of the caller, on every open socket too (H13)."""
        async with self.db.write() as session:
            stamp = Stamp(self.clock.now(), self.ids)
            if principal.role == Role.BUYER:
                await end_buyer_sessions(session, principal.subject, stamp)
            else:
                agent = await people.find_agent(session, principal.subject, lock=True)
                if agent is not None:
                    await end_staff_sessions(session, agent, stamp)

    async def buyer(self, shop_id: str, token: str) -> SessionView:
        """Open a session for a buyer whose shop vouches for him. Raises `BadToken`."""
        refuse_unstorable(shop_id)
        async with self.db.read() as session:
            shop = await people.find_shop(session, shop_id)
        if shop is None or not shop.active:
            raise BadToken
        claims = self._claims(shop, token)
        external_id = claims["sub"]
        if not isinstance(external_id, str) or not 0 < len(external_id) <= CLAIM_LIMIT:
            raise BadToken  # a cut one could be another buyer's
        refuse_unstorable(external_id)
        buyer = Buyer(
            id=PersonId(derived_id("buyer", shop.id, external_id)),
            shop_id=shop.id,
            external_id=external_id,
            name=_text(claims, "name"),
            phone=_text(claims, "phone"),
            address=_text(claims, "address"),
            tier=_tier(claims),
        )
        async with self.db.write() as session:
            kept = await people.keep_buyer(session, buyer, told=_PROFILE & claims.keys())
            await self._wait_until(kept.not_before)
            return await self._open(session, kept)

    async def visitor(self, shop_id: str, name: str) -> SessionView:
        """Open a session for somebody unknown. Raises `NotFound` for a shop that does not exist."""
        refuse_unstorable(shop_id)
        refuse_unstorable(name)
        async with self.db.write() as session:
            shop = await people.find_shop(session, shop_id)
            if shop is None or not shop.active:
                raise NotFound
            self.limits.visitors.spend(shop.id)
            visitor = Buyer(id=PersonId(self.ids.new()), shop_id=shop.id, name=name)
            return await self._open(session, await people.keep_buyer(session, visitor, told=()))

    async def _renew(self, session: AsyncSession, token: RefreshToken) -> SessionView:
        if token.kind == "buyer":
            buyer = await people.find_buyer(session, token.subject)
            if buyer is None:
                raise BadToken
            return await self._open(session, buyer, family=token.family)
        agent = await people.find_agent(session, token.subject)
        if agent is None or not agent.active:
            raise BadToken
        return await self._open(session, agent, family=token.family)

    async def _open(
        self, session: AsyncSession, person: Agent | Buyer, *, family: str | None = None
    ) -> SessionView:
        now = self.clock.now()
        staff = isinstance(person, Agent)
        role = person.role if isinstance(person, Agent) else Role.BUYER
        text = secrets.token_urlsafe(32)
        await people.add_refresh(
            session,
            RefreshToken(
                hash=_hash(text),
                family=family or self.ids.new(),
                subject=person.id,
                kind="staff" if staff else "buyer",
                expires_at=now + (STAFF_STAYS if staff else BUYER_STAYS),
            ),
        )
        return SessionView(
            token=self.issuer.issue(
                subject=person.id, role=role, shop_id=person.shop_id, name=person.name
            ),
            expires_at=now.replace(microsecond=0) + timedelta(seconds=LIFETIME_LIMIT_S),
            refresh_token=text,
            person=PersonView(id=person.id, role=role, shop_id=person.shop_id, name=person.name),
        )

    async def _wait_until(self, not_before: datetime) -> None:
        """Let the second of a logout pass: a token of that second would count as withdrawn."""
        await self.clock.sleep(min((not_before - self.clock.now()).total_seconds(), 1.0))

    def _claims(self, shop: Shop, token: str) -> Mapping[str, Any]:
        for secret in self.shop_secrets.accepted(shop):
            try:
                claims: dict[str, Any] = jwt.decode(
                    token,
                    secret,
                    algorithms=["HS256"],
                    options={
                        "require": ["sub", "exp"],
                        "verify_exp": False,
                        "verify_iat": False,
                        "verify_nbf": False,
                        "verify_aud": False,
                    },
                )
            except jwt.PyJWTError:
                continue
            self._check_times(claims)
            return claims
        raise BadToken

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self.clock.now().timestamp()
        times = {name: claims[name] for name in ("exp", "nbf", "iat") if name in claims}
        if any(type(value) is not int for value in times.values()):
            raise BadToken
        begins = max(times.get("nbf", 0), times.get("iat", 0))
        if times["exp"] <= now - LEEWAY_S or begins > now + LEEWAY_S:
            raise BadToken


async def end_staff_sessions(session: AsyncSession, agent: Agent, stamp: Stamp) -> Agent:
    """Withdraw every token of a member of staff, who is locked by the caller."""
    ended = agent.withdrawn(stamp.at)
    await people.save_agent(session, ended)
    await people.forget_subject(session, ended.id)
    await outbox.add(session, listed_agent(ended, stamp))
    return ended


async def end_buyer_sessions(session: AsyncSession, buyer_id: str, stamp: Stamp) -> None:
    """Withdraw every token of a buyer."""
    buyer = await people.find_buyer(session, buyer_id, lock=True)
    if buyer is None:
        return
    ended = buyer.withdrawn(stamp.at)
    await people.save_buyer(session, ended)
    await people.forget_subject(session, ended.id)
    await outbox.add(session, listed_buyer(ended, stamp))


def shop_scope(principal: Principal) -> ShopId:
    """Return the shop that the caller belongs to."""
    return ShopId(principal.shop_id)


def _hash(refresh_token: str) -> bytes:
    return hashlib.sha256(refresh_token.encode()).digest()


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name, "")
    if not isinstance(value, str):
        raise BadToken
    refuse_unstorable(value)
    return clip(value, CLAIM_LIMIT)


def _tier(claims: Mapping[str, Any]) -> int:
    value = claims.get("tier", 0)
    if type(value) is not int or value not in TIERS:
        raise BadToken
    return value
