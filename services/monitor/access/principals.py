"""Who asks: watchers of a shop, and whose figures they may see."""

from typing import Annotated

from fastapi import Depends, Query

from contracts.people import CHATTING_STAFF, WATCHING_STAFF, PersonId, ShopId, runs_platform
from kit.errors import Forbidden, NotFound
from kit.web.auth import Principal, require

Watcher = Annotated[Principal, Depends(require(*WATCHING_STAFF))]
Shop = Annotated[str, Query(min_length=1, max_length=64, description="The shop's id")]


def own_shop(principal: Principal, shop: str) -> ShopId:
    """Another shop's figures do not exist, whether that shop does or not (X10)."""
    if principal.shop_id != shop:
        raise NotFound
    return ShopId(shop)


def watched_shop(principal: Principal, shop: str) -> ShopId:
    """Return the shop whose board is asked for, as the gateway lets it be watched.

    One's own, and any for an administrator of the platform.
    """
    if runs_platform(principal.role, principal.shop_id):
        return ShopId(shop)
    return own_shop(principal, shop)


def only(principal: Principal) -> PersonId | None:
    """Return whose figures alone the principal may see; None: everybody's."""
    if principal.role in WATCHING_STAFF:
        return None
    if principal.role not in CHATTING_STAFF:
        raise Forbidden
    return PersonId(principal.subject)
