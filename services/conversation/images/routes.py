"""Routes about pictures. A body is the file itself, and what it is said to be is never believed."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Path, Request, Response

from contracts.images import MEDIA_TYPES
from kit.web.auth import Caller
from kit.web.idempotency import IdempotencyKey
from kit.web.unchanged import has
from services.conversation.access.routes import ConversationPath, versioned
from services.conversation.images.schemas import PictureView
from services.conversation.images.service import Pictures

PicturePath = Annotated[str, Path(max_length=64)]

_FILE: Final = {"schema": {"type": "string", "format": "binary"}}
_UPLOAD: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": dict.fromkeys(MEDIA_TYPES, _FILE)}
}

_ALWAYS: Final = {
    # What is opened by itself runs nothing and is of no origin, whatever a browser takes it for.
    "content-security-policy": "sandbox; default-src 'none'",
    "content-disposition": "inline",
    "cache-control": "private, max-age=31536000, immutable",
    # Whoever signs in behind him in one browser is asked who he is.
    "vary": "Authorization",
}


def routes(pictures: Pictures) -> APIRouter:
    """Return the routes of pictures."""
    router = versioned("conversations")

    @router.post("/conversations/{conversation_id}/images", status_code=201, openapi_extra=_UPLOAD)
    async def send_picture(
        *,
        principal: Caller,
        conversation_id: ConversationPath,
        request: Request,
        key: IdempotencyKey,
    ) -> PictureView:
        """Keep a picture for a message: made anew from what it shows, without anything else.

        Who may write in a conversation may. What is no JPEG, PNG, WebP or GIF is refused, whatever
        it is called; of an animation the first frame stays.
        """
        given = await request.body()
        return await pictures.add(principal, conversation_id, given=given, key=key)

    @router.get(
        "/images/{conversation_id}/{picture_id}",
        response_class=Response,
        responses={
            200: {"content": dict.fromkeys(("image/jpeg", "image/png"), _FILE)},
            304: {"description": "What If-None-Match names still holds."},
        },
    )
    async def read_picture(
        *,
        principal: Caller,
        conversation_id: ConversationPath,
        picture_id: PicturePath,
        if_none_match: Annotated[str, Header()] = "",
    ) -> Response:
        """Show a picture of a conversation that one may read."""
        shown = await pictures.one(principal, conversation_id, picture_id)
        headers = _ALWAYS | {"etag": f'"{shown.sha256}"'}
        if has(if_none_match, headers["etag"]):
            return Response(status_code=304, headers=headers)
        return Response(shown.content, media_type=shown.media_type, headers=headers)

    return router
