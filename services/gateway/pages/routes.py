"""GET for the places of the console and for their files; everything else stays 404.

Knows paths and headers; must not know where files come from.
"""

import re
from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from kit.errors import AppError, NotFound
from kit.web.unchanged import has
from services.gateway.hosts import Hosts
from services.gateway.pages.assets import Asset

PLACES: Final = ("sign-in", "desk", "todo", "search", "board", "reports", "settings")
"""First segments that answer the console's HTML, whatever comes behind; the empty one does too."""
PAGE: Final = "index.html"
ASSETS: Final = "assets/"

FOR_EVER: Final = "public, max-age=31536000, immutable"
"""Files under /assets carry a digest in their name."""
ASK_AGAIN: Final = "no-cache"

_RULES: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "font-src 'self'",
    "connect-src 'self'",
    "media-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types vue peakdesk",
)
PAGE_POLICY: Final = "; ".join(_RULES)
"""What a page may do. A worker does not inherit it and carries it itself, so every file has it."""

_NOTHING: Final = re.compile(r"\s*q\s*=\s*0(\.0{0,3})?\s*", re.IGNORECASE)


class WrongHost(AppError):
    """A foreign name leads to this machine: under it the page would be that name's own."""

    slug, status, title = "wrong_host", 421, "This gateway is not known under that name"


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
        if not self._hosts.is_ours(request.headers["host"]):
            raise WrongHost
        return _answer(request, self._assets[PAGE], lasts=ASK_AGAIN)

    async def _asset(self, request: Request, path: str) -> Response:
        asset = self._assets.get(ASSETS + path)
        if asset is None:
            raise NotFound
        return _answer(request, asset, lasts=FOR_EVER)


def _answer(request: Request, asset: Asset, *, lasts: str) -> Response:
    """Answer whole, whatever `Range` says; 304 to who has this version."""
    headers = {
        "cache-control": lasts,
        "content-security-policy": PAGE_POLICY,
        "etag": asset.etag,
        "vary": "accept-encoding",
    }
    if has(request.headers.get("if-none-match", ""), asset.etag):
        return Response(status_code=304, headers=headers)
    if asset.packed is not None and "gzip" in _accepted(request):
        headers["content-encoding"] = "gzip"
        return Response(asset.packed, media_type=asset.media_type, headers=headers)
    return Response(asset.body, media_type=asset.media_type, headers=headers)


def _accepted(request: Request) -> set[str]:
    """Return the encodings that are wanted; one with the weight 0 is not."""
    wanted = (one.partition(";") for one in request.headers.get("accept-encoding", "").split(","))
    return {name.strip().lower() for name, _, more in wanted if not _NOTHING.fullmatch(more)}
