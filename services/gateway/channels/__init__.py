"""The bus side of the gateway: what topics say, told to the live state; and who is here, told back.

Every gateway reads whole topics without a group: there is nothing to rebalance.
"""

from services.gateway.channels.chat import ChatChannel
from services.gateway.channels.facts import FACTS, FactsChannel
from services.gateway.channels.presence import Presence

__all__ = ["FACTS", "ChatChannel", "FactsChannel", "Presence"]
