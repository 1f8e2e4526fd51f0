"""Waiting for conditions in tests: by polling with a limit, never by a fixed sleep."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, overload

T = TypeVar("T")

_STEP_S = 0.01


@overload
async def eventually(
    condition: Callable[[], Coroutine[Any, Any, T]], *, within: float = ..., what: str = ...
) -> T: ...


@overload
async def eventually(condition: Callable[[], T], *, within: float = ..., what: str = ...) -> T: ...


async def eventually(condition: Callable[[], Any], *, within: float = 10.0, what: str = "") -> Any:
    """Return the first true answer of `condition`; fail after `within` seconds, naming `what`."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        answer = condition()
        found = await answer if inspect.isawaitable(answer) else answer
        if found:
            return found
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"not within {within:g} s: {what or condition}, last: {found!r}")
        await asyncio.sleep(_STEP_S)
