"""When what falls due is looked at; what is done about it is `sweeps`'s."""

from typing import Final

FILL_S: Final = 1.0
"""How often waiting buyers are offered again: overflow begins in time, and nothing is forgotten."""

SILENCE_LOOK_S: Final = 15.0
"""How often it is checked which buyers got no answer."""
