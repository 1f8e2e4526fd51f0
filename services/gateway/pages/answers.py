"""How a file is answered: what its page may do, how long it holds, and in which form it is sent.

Knows requests and headers; must not know paths.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from fastapi import Request
from starlette.responses import Response

from kit.errors import AppError
from kit.web.unchanged import has
from services.gateway.hosts import Hosts
from services.gateway.pages.assets import Asset

FOR_EVER: Final = "public, max-age=31536000, immutable"
"""Files under /assets carry a digest in their name."""
ASK_AGAIN: Final = "no-cache"

_NOTHING: Final = re.compile(r"\s*q\s*=\s*0(\.0{0,3})?\s*", re.IGNORECASE)


def policy(*, embedded_by: Iterable[str] = (), frames: bool = False) -> str:
    """Return what a page may do, and which sites may show it in a frame: without any, none.

    With `frames` it may show pages of this door in frames of its own.
    """
    ancestors = " ".join(embedded_by) or "'none'"
    rules = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "font-src 'self'",
        "connect-src 'self'",
        "media-src 'self'",
        "worker-src 'self'",
        *(["frame-src 'self'"] if frames else []),
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        f"frame-ancestors {ancestors}",
        "require-trusted-types-for 'script'",
        "trusted-types vue peakdesk",
    )
    return "; ".join(rules)


PAGE_POLICY: Final = policy()
"""What a page may do. A worker does not inherit it and carries it itself, so every file has it."""


class WrongHost(AppError):
    """A foreign name leads to this machine: under it the page would be that name's own."""

    slug, title = "wrong_host", "This gateway is not known under that name"
    status = 421


def page(
    request: Request, asset: Asset, *, hosts: Hosts, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer a page, under our own names alone. Raises `WrongHost`."""
    if not hosts.is_ours(request.headers["host"]):
        raise WrongHost
    return file(request, asset, lasts=ASK_AGAIN, headers=headers)


def file(
    request: Request, asset: Asset, *, lasts: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer whole, whatever `Range` says; 304 to who has this version.

    `headers` stand in the place of what every file has.
    """
    sent = {
        "cache-control": lasts,
        "content-security-policy": PAGE_POLICY,
        "etag": asset.etag,
        "vary": "accept-encoding",
        **(headers or {}),
    }
    if has(request.headers.get("if-none-match", ""), sent["etag"]):
        return Response(status_code=304, headers=sent)
    if asset.packed is not None and "gzip" in _accepted(request):
        sent["content-encoding"] = "gzip"
        return Response(asset.packed, media_type=asset.media_type, headers=sent)
    return Response(asset.body, media_type=asset.media_type, headers=sent)


def _accepted(request: Request) -> set[str]:
    """Return the encodings that are wanted; one with the weight 0 is not."""
    wanted = (one.partition(";") for one in request.headers.get("accept-encoding", "").split(","))
    return {name.strip().lower() for name, _, more in wanted if not _NOTHING.fullmatch(more)}
