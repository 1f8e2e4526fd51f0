"""The loops' suite on the real broker."""

import pytest

from tests.suites.loops import LoopsSuite

pytestmark = pytest.mark.integration


class TestLoopsOnKafka(LoopsSuite):
    """Everything the suite asks."""
