"""Which worker of a run gets which tests, and when the platform that they share is done with."""

from threading import Thread
from typing import Final

import pytest
from typing_extensions import override
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

from tests import platform as platforms

WHOLE: Final = ("tests/browser/",)
"""Folders with a platform of their own, which two workers would kill and stop for each other."""

SHARING: Final = ("tests/attacks/", "tests/journeys/")
"""Folders that stand on the shared platform."""

ALONE: Final = (
    "tests/attacks/test_outgoing.py",
    "tests/attacks/test_rows.py",
    "tests/attacks/test_start_up.py",
)
"""What lies there and stands on no platform: not journeys, so played behind them."""


class ByPlatform(LoadFileScheduling):
    """Deals tests out file by file, and the folders of `WHOLE` each to one worker.

    Behind the last test of `SHARING` it stops their platform, which would take a seventh of a core
    from those that go on; not if it ran before, nor if nobody goes on.
    """

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        self._ours = not platforms.runs(platforms.NAME)
        self._done: set[str] = set()

    @override
    def mark_test_complete(
        self, node: WorkerController, item_index: int, duration: float = 0
    ) -> None:
        super().mark_test_complete(node, item_index, duration)
        nodeid = self.registered_collections[node][item_index]
        if _shares(nodeid) and nodeid not in self._done:
            self._done.add(nodeid)
            sharing = sum(map(_shares, self.collection or ()))
            if self._ours and len(self._done) == sharing and self.has_pending:
                # Beside the run: whoever waits for it gets no test meanwhile.
                Thread(target=platforms.end, args=(platforms.NAME,), daemon=True).start()

    @override
    def _split_scope(self, nodeid: str) -> str:
        folder = next((folder for folder in WHOLE if nodeid.startswith(folder)), None)
        return folder or str(super()._split_scope(nodeid))


def _shares(nodeid: str) -> bool:
    return nodeid.startswith(SHARING) and not nodeid.startswith(ALONE)
