"""The rests' suite on the real broker."""

import pytest

from tests.suites.rests import RestsSuite

pytestmark = pytest.mark.integration


class TestRestsOnKafka(RestsSuite):
    """Everything the suite asks."""

    haste = 4
