"""The bus suite on the real broker."""

import pytest

from tests.suites.bus import BusSuite

pytestmark = pytest.mark.integration


class TestKafkaBus(BusSuite):
    """Everything the suite asks, answered by Kafka."""
