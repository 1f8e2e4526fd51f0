"""How the tokens of a member of staff are withdrawn, in the caller's transaction."""

from sqlalchemy.ext.asyncio import AsyncSession

from kit import outbox
from services.conversation.domain import Stamp
from services.conversation.staff import repository
from services.conversation.staff.domain import Agent, listed_agent
from services.conversation.tokens import repository as tokens


async def end_staff_sessions(session: AsyncSession, agent: Agent, stamp: Stamp) -> Agent:
    """Withdraw every token of a member of staff, who is locked by the caller."""
    ended = agent.withdrawn(stamp.at)
    await repository.save_agent(session, ended)
    await tokens.forget_subject(session, ended.id)
    await outbox.add(session, listed_agent(ended, stamp))
    return ended
