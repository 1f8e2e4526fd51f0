"""GET for the places of the console and for their files; everything else stays 404.

Knows paths; must not know where files come from, and how they are sent.
"""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from kit.errors import NotFound
from services.gateway.hosts import Hosts
from services.gateway.pages import answers
from services.gateway.pages.assets import Asset

PLACES: Final = ("sign-in", "desk", "todo", "search", "board", "reports", "settings")
"""First segments that answer the console's HTML, whatever comes behind; the empty one does too."""
PAGE: Final = "index.html"
ASSETS: Final = "assets/"


class Pages:
    """Answers for the files of a console."""

    def __init__(self, assets: Mapping[str, Asset], hosts: Hosts) -> None:
        self._assets, self._hosts = assets, hosts

    def router(self) -> APIRouter:
        """Return the routes; none at all where there is no console."""
        router = APIRouter(include_in_schema=False)
        if PAGE not in self._assets:
            return router
        router.add_api_route("/", self._page, methods=["GET"])
        for place in PLACES:
            router.add_api_route(f"/{place}", self._page, methods=["GET"])
            router.add_api_route(f"/{place}/{{rest:path}}", self._page, methods=["GET"])
        router.add_api_route("/assets/{path:path}", self._asset, methods=["GET"])
        return router

    async def _page(self, request: Request) -> Response:
        return answers.page(request, self._assets[PAGE], hosts=self._hosts)

    async def _asset(self, request: Request, path: str) -> Response:
        asset = self._assets.get(ASSETS + path)
        if asset is None:
            raise NotFound
        return answers.file(request, asset, lasts=answers.FOR_EVER)
