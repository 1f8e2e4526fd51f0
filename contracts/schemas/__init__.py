"""JSON Schemas of every event's body, kept beside this file, and the gate that guards them.

A kept schema is what other systems rely on: a change that breaks a reader or a writer needs a new
version of the event. Knows events by their types, never one of them.
"""

from contracts.schemas.asyncapi import document
from contracts.schemas.gate import breaks
from contracts.schemas.generate import FOLDER, Breaking, of_event, path_of, write

__all__ = ["FOLDER", "Breaking", "breaks", "document", "of_event", "path_of", "write"]
