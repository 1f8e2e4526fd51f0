"""What a page costs its browser: CPU time of tasks as a trace has them, never the wall's.

Whatever else runs on the machine makes tasks longer, but takes no CPU time of theirs. Must not know
what a page shows.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from playwright.async_api import CDPSession, Page

LEAST_MS: Final = 1.0
"""Of a task that is counted among frames' work: thousands of shorter ones only wait."""

_TIMELINE: Final = ["devtools.timeline", "disabled-by-default-devtools.timeline"]


@dataclass(slots=True)
class Trace:
    """Tasks of one stretch of a page's life, in ms of CPU; filled when the stretch is over."""

    tasks: list[float] = field(default_factory=list)
    """Of the page's own thread."""
    beside: list[float] = field(default_factory=list)
    """Of its process's other threads, workers among them."""

    @property
    def page_ms(self) -> float:
        """Return the whole of the page's thread."""
        return sum(self.tasks)

    @property
    def cpu_ms(self) -> float:
        """Return the whole of the page and its workers."""
        return sum(self.tasks) + sum(self.beside)

    @property
    def longest_ms(self) -> float:
        """Return the longest task of the page."""
        return max(self.tasks, default=0)

    @property
    def p95_ms(self) -> float:
        """Return the 95th percentile of what the page did for a frame."""
        work = sorted(ms for ms in self.tasks if ms > LEAST_MS)
        return work[len(work) * 95 // 100] if work else 0

    def fill(self, events: Sequence[dict[str, Any]]) -> None:
        """Take the tasks of those threads that lay a page out, and of what runs beside them."""
        mains = {(one["pid"], one["tid"]) for one in events if one["name"] == "UpdateLayoutTree"}
        processes = {pid for pid, _ in mains}
        for one in events:
            if one["name"] != "RunTask" or one["pid"] not in processes:
                continue
            tasks = self.tasks if (one["pid"], one["tid"]) in mains else self.beside
            tasks.append(one.get("tdur", 0) / 1000)


@asynccontextmanager
async def traced(page: Page) -> AsyncIterator[Trace]:
    """Trace what a page does in the block; the figures are there behind it."""
    cdp = await page.context.new_cdp_session(page)
    events: list[dict[str, Any]] = []
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    cdp.on("Tracing.dataCollected", lambda given: events.extend(given["value"]))
    cdp.on("Tracing.tracingComplete", lambda _: over.set_result(None))
    config = {"includedCategories": _TIMELINE}
    await cdp.send("Tracing.start", {"traceConfig": config, "transferMode": "ReportEvents"})
    trace = Trace()
    try:
        yield trace
    finally:
        await cdp.send("Tracing.end")
        await over
        await cdp.detach()
    trace.fill(events)


async def slowed(page: Page, times: int) -> CDPSession:
    """Let a page's processor be so many times slower, until the session is detached."""
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("Emulation.setCPUThrottlingRate", {"rate": times})
    return cdp
