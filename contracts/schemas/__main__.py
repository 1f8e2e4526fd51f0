"""`python -m contracts.schemas`: writes schemas and the AsyncAPI document, or says what breaks."""

import sys

from contracts.schemas.generate import Breaking, write


def main() -> int:
    """Return the exit code: 1 if a change would break readers or writers."""
    try:
        changed = write()
    except Breaking as breaking:
        print(breaking, file=sys.stderr)  # noqa: T201 - a command line tool
        return 1
    print("\n".join(changed) or "Everything is up to date.")  # noqa: T201 - a command line tool
    return 0


if __name__ == "__main__":
    sys.exit(main())
