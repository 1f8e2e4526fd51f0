"""What a shop's token says of its buyer, checked against the shop's secrets and the clock.

Knows no table; whether the buyer may come in is `service`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from contracts.people import PersonId
from kit.clock import Clock
from kit.ids import derived_id
from kit.text import clip, refuse_unstorable
from kit.web.auth import BadToken
from kit.web.tokens import LEEWAY_S
from services.conversation.buyers.domain import Buyer
from services.conversation.shops.domain import Shop
from services.conversation.shops.secrets import ShopSecrets

TIERS: Final = range(10)
"""Ranks of buyers."""

CLAIM_LIMIT: Final = 200
"""Characters of what a shop's token says: a longer name, phone or address is cut, a longer `sub`
refused."""

_PROFILE: Final = frozenset({"name", "phone", "address", "tier"})
"""Claims that change a known buyer; one that the token does not carry changes nothing (H46)."""


@dataclass(frozen=True)
class Vouched:
    """A buyer as his shop describes him, and which claims about him the token carries."""

    buyer: Buyer
    told: frozenset[str]


@dataclass(frozen=True)
class ShopTokens:
    """Reads the tokens with which shops vouch for their buyers."""

    secrets: ShopSecrets
    clock: Clock

    def read(self, shop: Shop, token: str) -> Vouched:
        """Return whom the shop vouches for. Raises `BadToken`."""
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
        return Vouched(buyer, _PROFILE.intersection(claims))

    def _claims(self, shop: Shop, token: str) -> Mapping[str, Any]:
        for secret in self.secrets.accepted(shop):
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
