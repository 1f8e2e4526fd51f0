"""The rests' suite on the bus in memory."""

import pytest

from tests.suites.rests import RestsSuite

pytestmark = pytest.mark.unit


class TestRestsOnMemory(RestsSuite):
    """Everything the suite asks."""
