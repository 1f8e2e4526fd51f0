"""Nothing a person can type makes the engine fail or slow: it is linear in the message."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wording import Action, Engine, Speaker

pytestmark = pytest.mark.unit

LARGEST = 64 * 1024
# Eight times the text may take this many times as long; quadratic work would take 64 times.
LINEAR = 24
ATTACKS = (
    "操", "操你", "我操作", "王八", "[", "1 ", "1-", "a", "!", "退款", "\u0301", "\u200b",
    "😡", "傻 ", "微信a", "0", "（", "\u202e", "妈妈", "亲亲", "绝对", "@1",
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(text=st.text())
def test_any_text_gets_a_verdict_with_spans_inside(engine: Engine, text: str) -> None:
    for speaker in Speaker:
        for hit in engine.check(text, speaker=speaker).hits:
            assert text[hit.start : hit.end] == hit.surface


@settings(max_examples=100, deadline=None)
@given(text=st.text(alphabet="操你妈王八蛋傻逼微信加绝对保证 -.*x1\u200b\u0301😡\0\ud800[]"))
def test_rude_noise_gets_a_verdict_with_spans_inside(engine: Engine, text: str) -> None:
    for speaker in Speaker:
        for hit in engine.check(text, speaker=speaker).hits:
            assert text[hit.start : hit.end] == hit.surface


@pytest.mark.parametrize("unit", ATTACKS)
@pytest.mark.parametrize("speaker", list(Speaker))
def test_time_grows_with_length_and_no_faster(engine: Engine, unit: str, speaker: Speaker) -> None:
    short, long = (_seconds(engine, unit, size, speaker=speaker) for size in (512, 4096))

    assert long <= LINEAR * max(short, 0.0005)


@pytest.mark.parametrize("unit", ATTACKS)
def test_the_largest_message_is_answered(engine: Engine, unit: str) -> None:
    text = (unit * LARGEST)[: LARGEST - 2] + "傻逼"

    assert engine.check(text, speaker=Speaker.AGENT).action.rank >= Action.ALLOW.rank


@pytest.mark.parametrize(
    "text",
    [
        "王\0八蛋",
        "\u202e王八蛋\u202c",
        "王\U000e0041八\U000e0101蛋",
        "王\u0336八\u0336蛋\u0336",
        "王\ufe0f八\ufe0f蛋\ufe0f",
    ],
)
def test_invisible_signs_hide_nothing(engine: Engine, text: str) -> None:
    assert engine.check(text, speaker=Speaker.AGENT).action is Action.BLOCK


def _seconds(engine: Engine, unit: str, size: int, *, speaker: Speaker) -> float:
    text = (unit * size)[:size]
    best = float("inf")
    for _ in range(2):
        started = time.thread_time()
        engine.check(text, speaker=speaker)
        best = min(best, time.thread_time() - started)
    return best
