"""Routes about shops."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from contracts.people import PLATFORM
from kit.errors import Forbidden, NotFound
from kit.web.auth import Caller, Principal
from kit.web.idempotency import IdempotencyKey
from kit.web.preconditions import IfMatchGiven
from services.conversation.access.routes import (
    POLICY_COST,
    Admin,
    AnyStaff,
    CommandLimits,
    Leading,
    versioned,
)
from services.conversation.shops.schemas import (
    NewShop,
    SecretRotated,
    SecretView,
    ShopView,
    TimingChange,
    TimingView,
    WidgetChange,
    WidgetView,
    WordingPolicy,
)
from services.conversation.shops.service import Shops

ShopPath = Annotated[str, Path(max_length=64)]


def routes(shops: Shops, limits: CommandLimits) -> APIRouter:
    """Return the routes under /v1/shops."""
    router = versioned("shops")
    _shops(router, shops, limits)
    _timing(router, shops, limits)
    _widget(router, shops, limits)
    _secrets(router, shops, limits)
    return router


def _shops(router: APIRouter, shops: Shops, limits: CommandLimits) -> None:
    @router.post("/shops", status_code=201)
    async def create_shop(principal: Admin, key: IdempotencyKey, body: NewShop) -> ShopView:
        """Create a shop with its first administrator; for the platform's administrator."""
        if principal.shop_id != PLATFORM:
            raise Forbidden
        limits.spend(principal)
        return await shops.create(body, key=key)

    @router.get("/shops/{shop_id}")
    async def read_shop(principal: Caller, shop_id: ShopPath) -> ShopView:
        """Read one's own shop; the platform's administrator reads any."""
        return await shops.read(principal, shop_id)

    @router.put("/shops/{shop_id}/wording-policy", openapi_extra=_described(shops.profiles))
    async def set_wording_policy(
        principal: Leading, shop_id: ShopPath, version: IfMatchGiven, *, policy: WordingPolicy
    ) -> ShopView:
        """Replace the shop's wording policy; gateways follow within seconds."""
        _own(principal, shop_id)
        limits.spend(principal, POLICY_COST)
        return await shops.set_policy(principal, policy, version=version)


def _described(profiles: frozenset[str]) -> dict[str, Any]:
    """Describe which profiles a policy may name: no type says what a folder holds."""
    named = {"properties": {"profiles": {"items": {"enum": sorted(profiles)}}}}
    return {"requestBody": {"content": {"application/json": {"schema": named}}}}


def _timing(router: APIRouter, shops: Shops, limits: CommandLimits) -> None:
    @router.get("/shops/{shop_id}/timing")
    async def read_timing(principal: AnyStaff, shop_id: ShopPath) -> TimingView:
        """Read the shop's own waits."""
        _own(principal, shop_id)
        return await shops.timing(principal)

    @router.patch("/shops/{shop_id}/timing")
    async def change_timing(
        principal: Leading, shop_id: ShopPath, change: TimingChange
    ) -> TimingView:
        """Change the shop's own waits from now on; recorded in the audit."""
        _own(principal, shop_id)
        limits.spend(principal, POLICY_COST)
        return await shops.set_timing(principal, change)


def _widget(router: APIRouter, shops: Shops, limits: CommandLimits) -> None:
    @router.get("/shops/{shop_id}/widget")
    async def read_widget(principal: AnyStaff, shop_id: ShopPath) -> WidgetView:
        """Read which sites may show the shop's chat, and how it greets there."""
        _own(principal, shop_id)
        return await shops.widget(principal)

    @router.put("/shops/{shop_id}/widget")
    async def set_widget(
        principal: Leading, shop_id: ShopPath, version: IfMatchGiven, *, body: WidgetChange
    ) -> WidgetView:
        """Replace these sites and the greeting; recorded in the audit, in force within seconds."""
        _own(principal, shop_id)
        limits.spend(principal, POLICY_COST)
        return await shops.set_widget(principal, body, version=version)


def _secrets(router: APIRouter, shops: Shops, limits: CommandLimits) -> None:
    @router.get("/shops/{shop_id}/secret")
    async def show_secret(principal: Admin, shop_id: ShopPath) -> SecretView:
        """Show the shop's secret to its administrator; recorded in the audit."""
        _own(principal, shop_id)
        limits.spend(principal)
        return await shops.show_secret(principal)

    @router.post("/shops/{shop_id}/secret-rotations", status_code=201)
    async def rotate_secret(
        principal: Admin, key: IdempotencyKey, shop_id: ShopPath
    ) -> SecretRotated:
        """Make a new secret; the one before stays valid until the next rotation."""
        _own(principal, shop_id)
        limits.spend(principal)
        return await shops.rotate_secret(principal, key=key)


def _own(principal: Principal, shop_id: str) -> None:
    if shop_id != principal.shop_id:
        raise NotFound
