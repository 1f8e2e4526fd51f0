"""A sweep of timers that is made once, by hand."""

from kit.timers import Timers


async def swept(one: Timers) -> None:
    """Let it sweep once, and give its lease back."""
    try:
        await one.sweep()
    finally:
        await one.close()
