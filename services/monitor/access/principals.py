"""Who asks: watchers of a shop, and whose figures they may see."""

from typing import Annotated

from fastapi import Depends, Query

from contracts.people import CHATTING_STAFF, WATCHING_STAFF, PersonId, ShopId
from kit.errors import Forbidden, NotFound
from kit.web.auth import Principal, require

Watcher = Annotated[Principal, Depends(require(*WATCHING_STAFF))]
Shop = Annotated[str, Query(min_length=1, max_length=64, description="The shop's id")]


def own_shop(principal: Principal, shop: str) -> ShopId:
    """Another shop's figures do not exist, whether that shop does or not (X10)."""
    if principal.shop_id != shop:
        raise NotFound
    return ShopId(shop)


def only(principal: Principal) -> PersonId | None:
    """Return whose figures alone the principal may see; None: everybody's."""
    if principal.role in WATCHING_STAFF:
        return None
    if principal.role not in CHATTING_STAFF:
        raise Forbidden
    return PersonId(principal.subject)
