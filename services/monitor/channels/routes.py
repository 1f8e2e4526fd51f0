"""Channels over REST: leaders see them, who runs the shop changes them. Knows no table."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Response

from contracts.people import Role, ShopId
from kit.web.auth import Principal, require
from kit.web.idempotency import IdempotencyKey, VersionedKey
from kit.web.paging import Page
from kit.web.preconditions import IfMatch, etag
from services.monitor.access.principals import Watcher
from services.monitor.channels.schemas import (
    ChannelChange,
    ChannelList,
    ChannelView,
    DeliveryQuery,
    DeliveryView,
    NewChannel,
    Removed,
)
from services.monitor.channels.service import ChannelCommands, ChannelReading

Manager = Annotated[Principal, Depends(require(Role.ADMIN))]
ChannelPath = Annotated[str, Path(min_length=1, max_length=64)]

_TAGS: Final[list[str]] = ["alerts"]


def reading(channels: ChannelReading) -> APIRouter:
    """Return the routes that read."""
    router = APIRouter(prefix="/v1/monitor/channels", tags=[*_TAGS])

    @router.get("")
    async def list_channels(principal: Watcher) -> ChannelList:
        """List where the shop's leaders are told; of addresses the last characters alone."""
        return await channels.channels(ShopId(principal.shop_id))

    @router.get("/{channel_id}/deliveries")
    async def list_deliveries(
        *, principal: Watcher, channel_id: ChannelPath, query: Annotated[DeliveryQuery, Query()]
    ) -> Page[DeliveryView]:
        """List what went over a channel and what became of it, newest first."""
        return await channels.deliveries(ShopId(principal.shop_id), channel_id, query)

    return router


def commands(channels: ChannelCommands) -> APIRouter:
    """Return the routes that change something."""
    router = APIRouter(prefix="/v1/monitor/channels", tags=[*_TAGS])

    @router.post("", status_code=201)
    async def add_channel(
        *, principal: Manager, key: VersionedKey, channel: NewChannel
    ) -> ChannelView:
        """Add a channel; the secret that is made for a webhook is shown here alone."""
        return await channels.add(principal, channel, key=key)

    @router.patch("/{channel_id}")
    async def change_channel(
        *,
        principal: Manager,
        version: IfMatch,
        channel_id: ChannelPath,
        change: ChannelChange,
        response: Response,
    ) -> ChannelView:
        """Change a channel, put it on or off; what mends a broken one puts it on again."""
        changed = await channels.change(principal, channel_id, change, version=version)
        response.headers["ETag"] = etag(changed.version)
        return changed

    @router.delete("/{channel_id}")
    async def remove_channel(
        *, principal: Manager, version: IfMatch, channel_id: ChannelPath
    ) -> Removed:
        """Remove a channel; what was still to be sent over it is not."""
        return await channels.remove(principal, channel_id, version=version)

    @router.post("/{channel_id}/test", status_code=202)
    async def test_channel(
        *, principal: Manager, key: IdempotencyKey, channel_id: ChannelPath
    ) -> DeliveryView:
        """Send a test message; its delivery says a moment later what became of it."""
        return await channels.test(principal, channel_id, key=key)

    return router
