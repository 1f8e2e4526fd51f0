"""Waiting for conditions in tests: by polling with a limit, never by a fixed sleep."""

import asyncio
import inspect
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar, overload

T = TypeVar("T")

PATIENCE_S: Final = 30.0
"""No promise and no pace: what has not come by then hangs. Two busy cores take 10 s for what a free
one has at once, and whoever waits for what comes pays nothing for a long limit."""


_STEP_S, _LONGEST_STEP_S = 0.01, 0.1
_SHARE = 0.1
"""A next look comes later by this share of the time waited so far: a hundred looks a second at a
database or a service take from it what is waited for, and twenty still a tenth of a processor."""


@overload
async def eventually(
    condition: Callable[[], Coroutine[Any, Any, T]], *, within: float = ..., what: str = ...
) -> T: ...


@overload
async def eventually(condition: Callable[[], T], *, within: float = ..., what: str = ...) -> T: ...


async def eventually(
    condition: Callable[[], Any], *, within: float = PATIENCE_S, what: str = ""
) -> Any:
    """Return the first true answer of `condition`; fail after `within` seconds, naming `what`."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    while True:
        answer = condition()
        found = await answer if inspect.isawaitable(answer) else answer
        if found:
            return found
        waited = loop.time() - begun
        if waited > within:
            raise AssertionError(f"not within {within:g} s: {what or condition}, last: {found!r}")
        await asyncio.sleep(min(max(_STEP_S, _SHARE * waited), _LONGEST_STEP_S))


def until(condition: Callable[[], object], *, within: float = PATIENCE_S, what: str = "") -> None:
    """Wait for a condition where no loop runs; fail after `within` seconds, naming `what`."""
    begun = time.monotonic()
    while not condition():
        waited = time.monotonic() - begun
        if waited > within:
            raise AssertionError(f"not within {within:g} s: {what or condition}")
        time.sleep(min(max(_STEP_S, _SHARE * waited), _LONGEST_STEP_S))
