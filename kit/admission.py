"""Admission: whose an object is, looked up across shops, before anybody is shown or does anything.

What is another's and what does not exist answer alike. Knows shops and buyers as ids; must not
know what an object is.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, NoReturn, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from kit.audit import Audit
from kit.errors import NotFound
from kit.postgres import Database
from kit.web.limits import ForeignIdLimits
from kit.web.tokens import Principal

BUYER: Final = "buyer"
"""The one role to which only what is its holder's own belongs; a test holds it to the contract."""

Id = TypeVar("Id", bound=str)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose an object is, and which buyer's, if one's; never changes."""

    shop_id: str
    buyer_id: str | None = None


class Admission:
    """Admits callers to objects of one service, and tells the object's shop of those refused.

    `other_shop` and `other_buyer` are the actions under which the audit keeps who reached for
    another shop's object, or for another buyer's of his own shop; None keeps nothing.
    """

    def __init__(
        self,
        database: Database,
        audit: Audit,
        limits: ForeignIdLimits,
        *,
        other_shop: str = "refused_other_shop",
        other_buyer: str | None = None,
    ) -> None:
        self._db = database
        self._audit = audit
        self._limits = limits
        self._other_shop = other_shop
        self._other_buyer = other_buyer

    async def admit(
        self,
        principal: Principal,
        object_id: Id,
        owner_of: Callable[[AsyncSession, Id], Awaitable[Owner | None]],
    ) -> None:
        """Return if the object is the caller's own or his shop's. Raises `NotFound`, audited.

        Raises `TooMany` for a caller who tries ids. Called before the transaction of the use case:
        whose an object is never changes.
        """
        owner = await self._owner(object_id, owner_of)
        if owner is None or not is_theirs(principal, owner):
            await self.refuse(principal, object_id, owner)

    async def refuse(self, principal: Principal, object_id: str, owner: Owner | None) -> NoReturn:
        """Count and audit a caller who is not admitted. Raises `TooMany`, else `NotFound`."""
        self._limits.met(principal.subject)
        await self._note(principal, object_id, owner)
        raise NotFound

    @asynccontextmanager
    async def watched(
        self,
        principal: Principal,
        object_id: Id,
        owner_of: Callable[[AsyncSession, Id], Awaitable[Owner | None]],
    ) -> AsyncIterator[None]:
        """Count and audit a caller for whom the block finds nothing: what it finds, it admits.

        Spares whoever is admitted the look-up of `admit`. Wrap it around the transaction, not into
        it.
        """
        try:
            yield
        except NotFound:
            self._limits.met(principal.subject)
            await self._note(principal, object_id, await self._owner(object_id, owner_of))
            raise

    async def _owner(
        self, object_id: Id, owner_of: Callable[[AsyncSession, Id], Awaitable[Owner | None]]
    ) -> Owner | None:
        async with self._db.read_across("whose it is") as session:
            return await owner_of(session, object_id)

    async def _note(self, principal: Principal, object_id: str, owner: Owner | None) -> None:
        if owner is None or is_theirs(principal, owner):
            return
        foreign = owner.shop_id != principal.shop_id
        action = self._other_shop if foreign else self._other_buyer
        if action is None:
            return
        async with self._db.write(owner.shop_id) as session:
            await self._audit.note(session, principal, action, object_id, shop_id=owner.shop_id)


def is_theirs(principal: Principal, owner: Owner) -> bool:
    """Tell whether an object is the caller's own, or his shop's where he is staff."""
    own = principal.role != BUYER or owner.buyer_id == principal.subject
    return owner.shop_id == principal.shop_id and own
