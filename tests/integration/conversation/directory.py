"""What the directory was told, for tests."""

from kit.bus.ports import Record
from tests.integration.conversation.desk import Platform


async def records_of(platform: Platform, key: str) -> list[Record]:
    """Return all that the directory was told under a key, oldest first."""
    found: list[Record] = []
    reader = platform.service.bus.reader(["directory"])
    await reader.start()
    try:
        ends = await reader.end_offsets(reader.assignment())
        left = {tp for tp, end in ends.items() if end > 0}
        while left:
            for records in (await reader.getmany(200)).values():
                found += [one for one in records if one.key == key.encode()]
            left = {tp for tp in left if await reader.position(tp) < ends[tp]}
    finally:
        await reader.stop()
    return found
