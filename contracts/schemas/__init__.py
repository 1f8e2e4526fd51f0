"""JSON Schemas of events, frames and cards, kept beside this file, and the gate that guards them.

A kept schema is what other systems rely on: a change that breaks a reader or a writer needs a new
version of the event. Knows events by their types and frames by their `t`, never one of them.
"""

from contracts.schemas.asyncapi import document
from contracts.schemas.frames import frame_types, of_frame
from contracts.schemas.gate import breaks
from contracts.schemas.generate import (
    FOLDER,
    Breaking,
    of_card,
    of_event,
    path_of,
    path_of_card,
    path_of_frame,
    write,
)

__all__ = [
    "FOLDER",
    "Breaking",
    "breaks",
    "document",
    "frame_types",
    "of_card",
    "of_event",
    "of_frame",
    "path_of",
    "path_of_card",
    "path_of_frame",
    "write",
]
