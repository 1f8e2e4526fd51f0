"""`just bench wording`: the full wording engine against raw pyahocorasick, hot and cold.

Both hold the same 100,000 invented terms (the engine its own lexicon on top) and read the same
messages in turn, in one process. A message is hot right behind others, and cold behind 16 MiB of
other memory, as a service meets it that does something else in between. Nothing here is a timed
test. `PEAKDESK_TEST_DATA` names a folder of real messages; without, turns written for the tests.
"""

import os
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, median
from typing import Final

import ahocorasick  # type: ignore[import-not-found]  # ships no types
import pytest

from tests.load.judging import Bench
from tests.load.ratios import Ratio
from wording.engine import Engine
from wording.lexicon import Entry, read_lexicon
from wording.model import Category, Severity, Speaker, Term, TermId

pytestmark = [pytest.mark.load, pytest.mark.timeout(1_200)]

TERMS: Final = 100_000
HOT: Final = 6_000
COLD: Final = 600
BETWEEN: Final = bytes(16 << 20)
"""What is read before each cold message: more than the caches that a core has to itself."""
SEED: Final = 11

RAW: Final = "pyahocorasick"
AGENT: Final = "engine, agent"
BUYER: Final = "engine, buyer"
SHIPPED: Final = "engine with the shipped lexicon alone, agent"

Check = Callable[[str], object]
Times = Sequence[float]
"""Microseconds, one for each message."""


def test_wording_against_raw_automaton(bench: Bench) -> None:
    messages = sample()
    contestants = prepared()
    hot: list[Mapping[str, Times]] = []
    cold: list[Mapping[str, Times]] = []
    for number in range(bench.rounds):
        hot.append({name: read(check, messages) for name, check in contestants.items()})
        behind = messages[:COLD]
        cold.append({n: read(check, behind, walk=True) for n, check in contestants.items()})
        say(number + 1, hot[-1], cold[-1])
    bench.report(
        f"Wording against pyahocorasick, {TERMS:,} terms",
        [
            Ratio("hot: messages a second, agent", _each(hot, RAW, AGENT), least=3),
            Ratio("hot: messages a second, buyer", _each(hot, RAW, BUYER)),
            Ratio("hot: messages a second, shipped lexicon", _each(hot, RAW, SHIPPED)),
            Ratio("cold: messages a second, agent", _each(cold, RAW, AGENT)),
            Ratio("agent, cold against hot", _colder(cold, hot, AGENT), most=1.5),
            Ratio("pyahocorasick, cold against hot", _colder(cold, hot, RAW)),
        ],
        {
            "characters": mean(map(len, messages)),
            "rounds": [
                {
                    kind: {name: told(times) for name, times in one.items()}
                    for kind, one in (("hot", warm), ("cold", chilled))
                }
                for warm, chilled in zip(hot, cold, strict=True)
            ],
        },
    )


def sample() -> Sequence[str]:
    """Return messages, the same in each run."""
    folder = os.environ.get("PEAKDESK_TEST_DATA")
    path = Path(__file__).parent / "wording_messages.txt"
    if folder:
        path = Path(folder) / "wording" / "utterances.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()
    texts = [line.rpartition("\t")[2] for line in lines if line]
    return random.Random(SEED).choices(texts, k=HOT)


def prepared() -> Mapping[str, Check]:
    """Return who reads the messages, by name."""
    words = invented(random.Random(SEED))
    large, shipped = engine_with(words), Engine.load()
    return {
        RAW: automaton(words),
        AGENT: lambda text: large.check(text, speaker=Speaker.AGENT),
        BUYER: lambda text: large.check(text, speaker=Speaker.BUYER),
        SHIPPED: lambda text: shipped.check(text, speaker=Speaker.AGENT),
    }


def invented(rng: random.Random) -> Sequence[str]:
    """Invent terms of two to five characters out of the 6,763 of GB 2312."""
    codes = (bytes((high, low)) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF))
    characters = [text for code in codes if (text := code.decode("gb2312", "ignore"))]
    words: set[str] = set()
    while len(words) < TERMS:
        words.add("".join(rng.choices(characters, k=rng.randint(2, 5))))
    return sorted(words)


def automaton(words: Sequence[str]) -> Check:
    """Return pyahocorasick as its manual shows it, listing every match."""
    found = ahocorasick.Automaton()
    for number, word in enumerate(words):
        found.add_word(word, number)
    found.make_automaton()
    return lambda text: list(found.iter(text))


def engine_with(words: Sequence[str]) -> Engine:
    """Return the full engine with its own lexicon and the invented terms."""
    lexicon = read_lexicon()
    extra = tuple(
        Entry(Term(TermId(f"bench.{number}"), (word,), Category.INSULT, Severity.LOW), "", "")
        for number, word in enumerate(words)
    )
    return Engine(replace(lexicon, entries=lexicon.entries + extra))


def read(check: Check, messages: Sequence[str], *, walk: bool = False) -> Times:
    """Return what each message took; with `walk`, each behind other memory."""
    times: list[float] = []
    for text in messages:
        if walk:
            BETWEEN.count(1)
        started = time.perf_counter_ns()
        check(text)
        times.append((time.perf_counter_ns() - started) / 1_000)
    return times


def told(times: Times) -> Mapping[str, float]:
    """Return the figures of a reading, in microseconds."""
    ordered = sorted(times)
    return {
        "mean_us": round(mean(times), 2),
        "p50_us": round(median(times), 2),
        "p99_us": round(ordered[len(ordered) * 99 // 100], 2),
    }


def say(number: int, hot: Mapping[str, Times], cold: Mapping[str, Times]) -> None:
    """Write a round's lines."""
    sys.stdout.write(f"\nround {number}\n")
    for name in hot:
        sys.stdout.write(f"  {name:46} hot {told(hot[name])}  cold {told(cold[name])}\n")


def _each(rounds: Sequence[Mapping[str, Times]], base: str, other: str) -> Sequence[float]:
    """Return how much less time `other` takes than `base`: medians, which no neighbour moves."""
    return [median(one[base]) / median(one[other]) for one in rounds]


def _colder(
    cold: Sequence[Mapping[str, Times]], hot: Sequence[Mapping[str, Times]], name: str
) -> Sequence[float]:
    """Return what cold costs, of the same messages."""
    return [
        median(chilled[name]) / median(warm[name][: len(chilled[name])])
        for chilled, warm in zip(cold, hot, strict=True)
    ]
