"""What tests of the launcher share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def passable() -> Iterator[Path]:
    """A folder that every account of the machine may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="peakdesk-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder
