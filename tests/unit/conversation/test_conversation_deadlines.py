"""A sweep that a rule refuses ends itself, never the process."""

import pytest

from kit.errors import Conflict, Unavailable
from services.conversation.routing.deadlines import Sweep

pytestmark = pytest.mark.unit


class Work:
    def __init__(self, failure: Exception) -> None:
        self._failure = failure

    async def __call__(self) -> None:
        raise self._failure


async def test_a_refusal_is_left_for_the_next_sweep() -> None:
    await Sweep("filling", Work(Conflict("somebody was faster")))()


@pytest.mark.parametrize("failure", [Unavailable(), ZeroDivisionError()])
async def test_what_is_no_refusal_is_the_roles_to_judge(failure: Exception) -> None:
    with pytest.raises(type(failure)):
        await Sweep("filling", Work(failure))()
