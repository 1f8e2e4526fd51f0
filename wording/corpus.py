"""The corpus test: which disguise of which term fires on innocent talk, and is therefore refused.

Used when the lexicon is built, never at run time. It keeps counts and ids, no text of the corpus.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from wording.engine import Engine
from wording.lexicon import Lexicon

# One innocent message is enough: at 40,000 messages it stands for 0.0025 % of the traffic, and
# the false-positive budget of the whole lexicon is 0.05 %.
TOLERATED = 0


@dataclass(frozen=True, slots=True)
class CorpusReport:
    """What a corpus of innocent messages said about a lexicon.

    `refused` counts the messages per (term id, disguise) over the tolerance; `literal` those per
    term id in which the term itself stands, for a person to look at.
    """

    messages: int
    refused: dict[tuple[str, str], int]
    literal: dict[str, int]


def try_corpus(lexicon: Lexicon, messages: Iterable[str]) -> CorpusReport:
    """Run every disguise of every term over innocent messages; earlier refusals are forgotten."""
    engine = Engine(replace(lexicon, refused=frozenset()))
    total = 0
    fired: Counter[tuple[str, str]] = Counter()
    for message in messages:
        total += 1
        fired.update(set(_findings(engine, message)))
    refused = {key: count for key, count in fired.items() if key[1] and count > TOLERATED}
    literal = {term_id: count for (term_id, disguise), count in fired.items() if not disguise}
    return CorpusReport(total, refused, literal)


def _findings(engine: Engine, message: str) -> Iterable[tuple[str, str]]:
    for candidate in engine.findings(message):
        term = candidate.form.term
        if term is not None:
            yield term.id, candidate.disguise
