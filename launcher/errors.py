"""The launcher's one exception: a sentence for the person at the terminal; knows no causes."""


class LaunchError(Exception):
    """Something the launcher cannot settle alone.

    `sentence` is shown as it is, without a stack trace, and says what to do about it.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
