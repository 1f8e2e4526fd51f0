"""Which refresh token of a login goes on, and which proves that two people hold it.

A client that loses its answer holds a spent token and no other: it may show it again, however long
it was away, as long as nobody used what it was spent for. Who then shows one that was dropped, or
a spent one whose heir was used, has what another has too. Knows tokens; makes none.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from services.conversation.tokens import repository as tokens
from services.conversation.tokens.repository import RefreshToken

TWICE_WITHIN: Final = timedelta(seconds=10)
"""A page that is reloaded asks twice, and either answer may come last: so long after its first use
a token gets further heirs and drops none. The first of them that is used drops the others."""


async def spend(session: AsyncSession, token: RefreshToken, *, now: datetime) -> bool:
    """Spend a locked token, its person locked before it; False if the login has to end.

    A dropped heir cannot be used, so of all heirs of a token at most one ever was.
    """
    if token.dropped_at is not None:
        return False
    if token.used_at is None:
        await tokens.use_refresh(session, token.hash, now)
        if token.parent is not None:
            await tokens.drop_heirs(session, token.parent, now, but=token.hash)
        return True
    heirs = await tokens.heirs_of(session, token.hash)
    if any(heir.used_at is not None for heir in heirs):
        return False
    if now - token.used_at <= TWICE_WITHIN:
        return True
    await tokens.drop_heirs(session, token.hash, now)
    return bool(heirs)  # none is known of a token that a release before has spent
