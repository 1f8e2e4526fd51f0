"""Routes about quick replies."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Response

from kit.web.idempotency import IdempotencyKey, VersionedKey
from kit.web.preconditions import IfMatch, etag
from kit.web.unchanged import etag_of, has
from services.conversation.access.routes import CommandLimits, Directing, Leading, versioned
from services.conversation.phrases.schemas import (
    NewPhraseSet,
    OwnPhrases,
    PhraseListView,
    PhrasesView,
    PhraseUsed,
)
from services.conversation.phrases.service import Phrases

LIST_COST = 10.0
"""A list is written whole, up to 500 rows."""

USE_COST = 0.5

PhrasePath = Annotated[str, Path(max_length=64)]


def routes(phrases: Phrases, limits: CommandLimits) -> APIRouter:
    """Return the routes under /v1/phrases."""
    router = versioned("phrases")
    _reading(router, phrases)
    _writing(router, phrases, limits)
    return router


def _reading(router: APIRouter, phrases: Phrases) -> None:
    @router.get(
        "/phrases",
        response_model=PhrasesView,
        responses={304: {"description": "What If-None-Match names still holds."}},
    )
    async def read_phrases(
        principal: Directing, if_none_match: Annotated[str, Header()] = ""
    ) -> Response:
        """Read the quick replies that one may take: one's own, and the shop's."""
        body = (await phrases.both(principal)).model_dump_json().encode()
        tag = etag_of(body)
        if has(if_none_match, tag):
            return Response(status_code=304, headers={"ETag": tag})
        return Response(body, media_type="application/json", headers={"ETag": tag})

    @router.get("/phrases/mine")
    async def read_own_phrases(principal: Directing, response: Response) -> PhraseListView:
        """Read one's own quick replies, with the version that a change is made against."""
        shown = await phrases.mine(principal)
        response.headers["ETag"] = etag(shown.version)
        return shown


def _writing(router: APIRouter, phrases: Phrases, limits: CommandLimits) -> None:
    @router.put("/phrases/mine")
    async def set_own_phrases(
        *, principal: Directing, version: IfMatch, body: OwnPhrases, response: Response
    ) -> PhraseListView:
        """Replace one's own quick replies; the first ones are written against version 0."""
        limits.spend(principal, LIST_COST)
        shown = await phrases.set_mine(principal, body, version=version)
        response.headers["ETag"] = etag(shown.version)
        return shown

    @router.post("/phrases/sets", status_code=201)
    async def publish_phrase_set(
        principal: Leading, key: VersionedKey, body: NewPhraseSet
    ) -> PhraseListView:
        """Replace the shop's quick replies, for everybody at once; recorded in the audit."""
        limits.spend(principal, LIST_COST)
        return await phrases.publish(principal, body, key=key)

    @router.post("/phrases/{phrase_id}/use")
    async def use_phrase(
        principal: Directing, key: IdempotencyKey, phrase_id: PhrasePath
    ) -> PhraseUsed:
        """Count that one took a quick reply, of one's own or of the shop's."""
        limits.spend(principal, USE_COST)
        return await phrases.use(principal, phrase_id, key=key)
