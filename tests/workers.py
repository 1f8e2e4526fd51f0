"""Which worker of a run gets which tests."""

from typing import Final

from typing_extensions import override
from xdist.scheduler import LoadFileScheduling

WHOLE: Final = ("tests/browser/",)
"""Folders with a platform of their own, which two workers would kill and stop for each other."""


class ByPlatform(LoadFileScheduling):
    """Deals tests out file by file, and the folders of `WHOLE` each to one worker."""

    @override
    def _split_scope(self, nodeid: str) -> str:
        folder = next((folder for folder in WHOLE if nodeid.startswith(folder)), None)
        return folder or str(super()._split_scope(nodeid))
