"""A short version of the faults that `just prove chat` plays at length: seconds instead of minutes.

Fencing (H19), a lagging archive (H10) and slow readers (H15) have short versions among the
integration tests of the monitor and the gateway.
"""

import pytest

from tests.faults.outages import (
    drained,
    kafka_away,
    killed,
    one_after_another,
    paused,
    postgres_away,
    storm,
)
from tests.faults.pressures import one_dies, poison, two_of_each
from tests.faults.stage import Fault, Load, play
from tests.platform import Platform

pytestmark = [pytest.mark.fault, pytest.mark.timeout(500)]

LOAD = Load(rate=20, seconds=45, at_s=2, within_s=330, answers_within_s=200)
"""Nine starts stand behind one another: 75 s on two quiet cores, twice that among other tests. What
no client may do is wait for ever; the limits only say when a run that hangs is given up."""


async def test_every_part_dies_once_and_no_promise_breaks(platform: Platform) -> None:
    fault = Fault(
        "every part dies once",
        one_after_another(
            storm,
            poison,
            one_dies("gateway"),
            one_dies("monitor"),
            killed("orders"),
            killed("aftersales"),
            killed("monitor"),
            killed("conversation"),
            killed("gateway"),
            kafka_away(4),
            postgres_away(3),
            paused("conversation", 3),
            drained("gateway"),
            between_s=0.5,
        ),
        two_of_each,
    )

    row = await play(platform, fault, LOAD)

    assert row.held, row.why
