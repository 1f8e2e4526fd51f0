"""How the tokens of a buyer are withdrawn, in the caller's transaction."""

from sqlalchemy.ext.asyncio import AsyncSession

from kit import outbox
from services.conversation.buyers import repository
from services.conversation.buyers.domain import Buyer, listed_buyer
from services.conversation.domain import Stamp
from services.conversation.tokens import repository as tokens


async def end_buyer_sessions(session: AsyncSession, buyer: Buyer, stamp: Stamp) -> None:
    """Withdraw every token of a buyer, who is locked by the caller."""
    ended = buyer.withdrawn(stamp.at)
    await repository.save_buyer(session, ended)
    await tokens.forget_subject(session, ended.id)
    await outbox.add(session, listed_buyer(ended, stamp))
