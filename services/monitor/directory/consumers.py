"""Entry from the bus: the directory, read whole. Knows no table."""

from collections.abc import Sequence
from typing import Final

import structlog

from contracts import UnknownEvent, UnreadableEvent, decode
from contracts.conversation import PersonListed, ShopListed
from kit.bus.ports import Record
from services.monitor.directory.shops import Directory

log = structlog.get_logger()

DIRECTORY: Final = "monitor.directory"
"""A reader's name, no group: each process reads the topic whole."""


class DirectoryEntries:
    """Shops and people, as the directory lists them."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def __call__(self, records: Sequence[Record]) -> None:
        """Take entries in; the newest version of each wins, however often it comes."""
        for record in records:
            if record.value is None:
                continue  # a tombstone: whoever left stays known by name until the next start
            try:
                event = decode(record)
            except (UnknownEvent, UnreadableEvent) as error:
                log.warning("directory.skipped", offset=record.offset, reason=str(error))
                continue
            match event:
                case ShopListed():
                    self._directory.list_shop(event)
                case PersonListed():
                    self._directory.list_person(event)
                case _:
                    pass  # the directory may come to list more than the monitor needs
