"""The loops' suite on the bus in memory."""

import pytest

from tests.suites.loops import LoopsSuite

pytestmark = pytest.mark.unit


class TestLoopsOnMemory(LoopsSuite):
    """Everything the suite asks."""
