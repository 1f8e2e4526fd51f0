"""Whom a socket speaks for, as a verified token says."""

from typing import NamedTuple

from contracts.people import PersonId, Role, ShopId
from kit.web.auth import Principal


class Person(NamedTuple):
    """Whom a verified token names. Times are seconds since 1970."""

    subject: PersonId
    role: Role
    shop_id: ShopId
    name: str
    issued_at: float
    expires_at: float
    sid: str = ""
    """The session that the token is of; empty of an older release's."""

    @classmethod
    def of(cls, principal: Principal) -> "Person":
        """Return the person of a verified token. Raises `ValueError` for a role that is none."""
        return cls(
            PersonId(principal.subject),
            Role(principal.role),
            ShopId(principal.shop_id),
            principal.name,
            principal.issued_at.timestamp(),
            principal.expires_at.timestamp(),
            principal.sid,
        )

    @property
    def is_buyer(self) -> bool:
        """Buyers see their own conversations alone, and less of them."""
        return self.role is Role.BUYER
