"""What the demo shop says again and again is what its agents may say."""

import pytest

from services.conversation.phrases.domain import PHRASES_MOST
from services.conversation.seed import DEMO_PHRASES
from wording import Action, Engine, Speaker

pytestmark = pytest.mark.unit


def test_no_phrase_of_the_demo_is_stopped_or_asked_about() -> None:
    engine = Engine.load()

    found = {
        title: engine.check(words, speaker=Speaker.AGENT).action
        for title, words in DEMO_PHRASES.items()
    }

    assert set(found.values()) == {Action.ALLOW}, found
    assert len(DEMO_PHRASES) <= PHRASES_MOST
