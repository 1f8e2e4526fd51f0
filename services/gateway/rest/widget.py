"""What a shop's chat shows before anybody speaks: from memory, so that looking costs nothing.

Knows the directory; must not know who looks.
"""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from services.gateway.hub import Directory

ShopPath = Annotated[str, Path(max_length=64)]


class WidgetView(BaseModel):
    """A shop's name, and how it greets who opens its chat; empty where it has chosen no words."""

    shop_id: str
    name: str
    greeting: str


def widget_router(directory: Directory) -> APIRouter:
    """Return GET /v1/widget/{shop_id}."""
    router = APIRouter(tags=["gateway"])

    @router.get("/v1/widget/{shop_id}")
    async def shop_of_widget(shop_id: ShopPath) -> WidgetView:
        """Read, without a token, what a shop's chat shows to everybody."""
        shop = directory.visited(shop_id)
        return WidgetView(shop_id=shop.shop_id, name=shop.name, greeting=shop.widget_greeting)

    return router
