"""A shop's chat for its buyers: the page in a frame, the script that opens it, a shop to try it.

Which sites may show the frame, each shop says. Knows paths and headers; must not know who looks.
"""

from collections.abc import Callable, Mapping
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from contracts.conversation import ShopListed
from contracts.origins import may_embed
from kit.web.unchanged import etag_of
from services.gateway.hosts import Hosts
from services.gateway.pages import answers
from services.gateway.pages.assets import Asset

FRAME: Final = "widget.html"
LOADER: Final = "widget.js"
DEMO: Final = "demo-shop.html"

EVERYWHERE: Final = {"cross-origin-resource-policy": "cross-origin"}
"""Other sites' pages load it."""


class WidgetPages:
    """Answers for the files of a shop's chat."""

    def __init__(
        self,
        assets: Mapping[str, Asset],
        hosts: Hosts,
        *,
        visited: Callable[[str], ShopListed],
        with_demo: bool,
    ) -> None:
        """`visited` returns a shop, or raises `NotFound`; `with_demo` serves a shop to try it."""
        self._assets, self._hosts = assets, hosts
        self._visited, self._with_demo = visited, with_demo

    def router(self) -> APIRouter:
        """Return the routes of those files that are there."""
        router = APIRouter(include_in_schema=False)
        if FRAME in self._assets:
            router.add_api_route("/widget/{shop_id}", self._frame, methods=["GET"])
        if LOADER in self._assets:
            router.add_api_route("/widget.js", self._loader, methods=["GET"])
        if DEMO in self._assets and self._with_demo:
            router.add_api_route("/demo-shop", self._demo, methods=["GET"])
        return router

    async def _frame(self, request: Request, shop_id: str) -> Response:
        named = filter(may_embed, self._visited(shop_id).widget_origins)
        rules = answers.policy(embedded_by=["'self'", *named])
        frame = self._assets[FRAME]
        headers = {
            "content-security-policy": rules,
            # Safari keeps the policy that it has when it is told that the page is the same.
            "etag": etag_of((frame.etag + rules).encode()),
            "x-frame-options": "",
            **EVERYWHERE,
        }
        return answers.page(request, frame, hosts=self._hosts, headers=headers)

    async def _loader(self, request: Request) -> Response:
        loader = self._assets[LOADER]
        return answers.file(request, loader, lasts=answers.ASK_AGAIN, headers=EVERYWHERE)

    async def _demo(self, request: Request) -> Response:
        headers = {"content-security-policy": answers.policy(frames=True)}
        return answers.page(request, self._assets[DEMO], hosts=self._hosts, headers=headers)
