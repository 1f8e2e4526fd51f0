"""JSON Schemas of the socket's frames, kept beside this file under their `t`."""

from typing import Any, get_args

from contracts.frames import ClientFrame, Frame, ServerFrame


def frames_of(side: Any) -> dict[str, type[Frame]]:
    """Return the frames of `ClientFrame` or `ServerFrame` by their `t`."""
    models: tuple[type[Frame], ...] = get_args(get_args(side)[0])
    return {model.model_fields["t"].default: model for model in models}


def frame_types() -> dict[str, type[Frame]]:
    """Return the frames of both sides by their `t`, which no two of them share."""
    return frames_of(ClientFrame) | frames_of(ServerFrame)


def of_frame(name: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the frame whose `t` is `name`; `t` is always there.

    A server's frame may gain fields, so that its schema admits what it does not name; a client's is
    refused for them.
    """
    schema = frame_types()[name].model_json_schema(mode="validation")
    if name in frames_of(ServerFrame):
        for described in (schema, *schema.get("$defs", {}).values()):
            described.pop("additionalProperties", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:peakdesk:frame:{name}",
        **schema,
        "required": ["t", *schema.get("required", ())],
    }
