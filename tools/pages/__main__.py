"""`python -m tools.pages`: writes the made pages of `docs/` and says which changed."""

import sys

from tools.pages import made


def main() -> int:
    """Write what differs."""
    texts = made.pages()
    changed = [
        path for path, text in texts.items() if not path.exists() or path.read_text() != text
    ]
    for path in changed:
        path.write_text(texts[path])
    names = "\n".join(str(path.relative_to(made.CHECKOUT)) for path in changed)
    print(names or "Everything is up to date.")  # noqa: T201 - a command line tool
    return 0


if __name__ == "__main__":
    sys.exit(main())
