"""The bus side of the gateway: topics, read to who hears them; and who is here, told to others.

Every gateway reads whole topics without a group: there is nothing to rebalance.
"""

from services.gateway.channels.chat import ChatChannel
from services.gateway.channels.facts import Hearers

__all__ = ["ChatChannel", "Hearers"]
