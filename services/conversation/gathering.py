"""Commands of a shop that come while its turn is taken are carried out together by its next turn.

Knows no table and no command. A crowd of a hundred so costs a few turns, and whoever comes alone
waits for nobody (H39).
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Final, Generic, TypeAlias, TypeVar

import structlog

from kit.errors import Unavailable
from services.conversation.turns import LINE_LIMIT, WAIT_S, ShopBusy

TOGETHER: Final = 50
"""So many at most are one group: others have their turns between two of them."""

Command = TypeVar("Command")
Answer = TypeVar("Answer")

Take: TypeAlias = Callable[[], Sequence[Command]]
"""Returns those who are in the group by now; asked once more, others may have come."""

CarryOut: TypeAlias = Callable[
    [str, Take[Command]], Coroutine[None, None, Sequence[Answer | Exception]]
]
"""Carries a shop's group out in one transaction; answers each, in the order of `Take`."""

log = structlog.get_logger()


class Gathering(Generic[Command, Answer]):
    """Gathers commands by shop; of each shop one group is carried out at a time.

    A group runs for as long as it must, whoever of it has left meanwhile.
    """

    def __init__(
        self,
        carry_out: CarryOut[Command, Answer],
        *,
        together: int = TOGETHER,
        wait_s: float = WAIT_S,
    ) -> None:
        self._carry_out = carry_out
        self._together = together
        self._wait_s = wait_s
        self._lines: dict[str, _Line[Command, Answer]] = {}

    async def carried_out(self, shop: str, command: Command) -> Answer:
        """Carry a command out with the shop's next group, and return or raise its answer.

        Raises `ShopBusy` where no group had a place within the wait, or too many wait already.
        """
        line = self._lines.get(shop)
        if line is None:
            line = self._lines[shop] = _Line()
            line.work = asyncio.create_task(self._work(shop, line))
        if len(line.waiting) >= LINE_LIMIT:
            raise ShopBusy
        member: _Member[Command, Answer] = _Member(command)
        line.waiting.append(member)
        try:
            await asyncio.wait([member.answer], timeout=self._wait_s)
        finally:
            left = member in line.waiting
            if left:
                line.waiting.remove(member)
        if left:
            raise ShopBusy
        return await member.answer

    async def _work(self, shop: str, line: "_Line[Command, Answer]") -> None:
        while line.waiting:
            group = _Group(line, self._together)
            failure = await self._failure(shop, group)
            if failure is not None:
                if not group.members:  # no turn came: all who waited for it are told
                    group.take()
                await self._failed(shop, group, failure)
        del self._lines[shop]

    async def _failed(
        self, shop: str, group: "_Group[Command, Answer]", failure: Exception
    ) -> None:
        """Carry a group out one by one, so that whoever failed it fails alone."""
        if isinstance(failure, Unavailable) or len(group.members) == 1:
            group.answer([failure] * len(group.members))
            return
        log.warning("commands.one_by_one", shop_id=shop, reason=type(failure).__name__)
        for member in group.members:
            alone = _Group(_Line([member]), 1)
            failure_alone = await self._failure(shop, alone)
            if failure_alone is not None:
                alone.answer([failure_alone] * len(alone.take()))

    async def _failure(self, shop: str, group: "_Group[Command, Answer]") -> Exception | None:
        """Carry a group out under the trace of whoever came first; return what went wrong."""
        work = asyncio.create_task(self._carry_out(shop, group.take), context=group.context())
        await asyncio.wait([work])
        failure = work.exception()
        if failure is None:
            group.answer(work.result())
        elif not isinstance(failure, Exception):
            raise failure
        return failure


@dataclass(eq=False, slots=True)
class _Member(Generic[Command, Answer]):
    """A command that waits for its answer, and the context that it came in."""

    command: Command
    answer: "asyncio.Future[Answer]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    context: Context = field(default_factory=copy_context)


@dataclass(eq=False, slots=True)
class _Line(Generic[Command, Answer]):
    """Who waits in a shop, first come first served, and what carries them out."""

    waiting: "list[_Member[Command, Answer]]" = field(default_factory=list)
    work: "asyncio.Task[None] | None" = None


class _Group(Generic[Command, Answer]):
    """Those of a line who are carried out together."""

    def __init__(self, line: "_Line[Command, Answer]", most: int) -> None:
        self._line = line
        self._most = most
        self.members: list[_Member[Command, Answer]] = []

    def context(self) -> Context:
        """Return the context of whoever came first."""
        return self._line.waiting[0].context

    def take(self) -> list[Command]:
        """Let whoever waits join, while there is room; return the commands of all."""
        room = self._most - len(self.members)
        self.members += self._line.waiting[:room]
        del self._line.waiting[:room]
        return [member.command for member in self.members]

    def answer(self, answers: Sequence[Answer | Exception]) -> None:
        """Tell each what became of his command, if he is still there."""
        for member, answer in zip(self.members, answers, strict=True):
            if member.answer.done():
                continue
            if isinstance(answer, Exception):
                member.answer.set_exception(answer)
                member.answer.exception()  # marks it as seen: he may have left
            else:
                member.answer.set_result(answer)
