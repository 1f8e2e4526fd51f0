"""Work that nobody waits for any more is not done: a caller's leaving cancels it.

Knows requests and their end; must not know what is done for them.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request

from kit.errors import AppError

T = TypeVar("T")


class CallerLeft(AppError):
    """The caller closed the connection before the answer; nobody reads this one."""

    slug, status, title = "caller_left", 499, "The caller left before the answer"


async def while_there(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns, cancelled when the caller leaves. Raises `CallerLeft`.

    Read the body before: what follows it on the connection is taken for the caller's end.
    """
    doing = asyncio.create_task(work)
    leaving = asyncio.create_task(_left(request))
    try:
        await asyncio.wait((doing, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise CallerLeft
        return doing.result()
    finally:
        doing.cancel()
        leaving.cancel()
        await asyncio.gather(doing, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
