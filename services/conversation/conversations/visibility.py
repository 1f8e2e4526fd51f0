"""Who may know of a conversation."""

from sqlalchemy.ext.asyncio import AsyncSession

from kit.admission import Owner, is_theirs
from kit.errors import NotFound
from kit.web.auth import Principal
from services.conversation.conversations import repository
from services.conversation.conversations.domain import Conversation
from services.conversation.domain import known_form


async def owner_of(session: AsyncSession, conversation_id: str) -> Owner | None:
    """Return whose conversation this is, whichever shop's."""
    try:
        found = await repository.find(session, known_form(conversation_id))
    except NotFound:
        return None
    return None if found is None else _owner(found)


def visible(found: Conversation | None, principal: Principal) -> Conversation:
    """Return the conversation if the caller may know of it; else `NotFound`, as if it were not.

    Staff see their whole shop, for they read what colleagues wrote (C11); buyers see their own.
    """
    if found is None or not is_theirs(principal, _owner(found)):
        raise NotFound
    return found


def _owner(found: Conversation) -> Owner:
    return Owner(found.shop_id, found.buyer_id)
