"""A record of Heddle's event log, as far as this consumer needs it; docs/reference/asyncapi.json has it all."""

import json
import re
from dataclasses import dataclass


class NoEvent(Exception):
    """A record that is no event, with why."""


@dataclass(frozen=True)
class Event:
    type: str
    key: str
    # Place among the records of its type and key; what is not above the highest that was seen is a repeat.
    place: tuple[int, int]
    # The protobuf JSON of the message; what is zero or empty is left out, and fields may come that we do not know.
    data: dict


def event_of(key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]] | None) -> Event:
    texts = {name: (text or b"").decode(errors="replace") for name, text in headers or []}
    place = re.search(r"/(\d+)/(\d+)$", texts.get("ce_id", ""))
    if place is None or not texts.get("ce_type"):
        raise NoEvent("it has no CloudEvents headers")
    if key is None or value is None:
        raise NoEvent("it has no key or no value")
    try:
        record = json.loads(value)
    # Deep nesting is a RecursionError, bytes that are no UTF-8 a ValueError as bad JSON is.
    except (ValueError, RecursionError) as error:
        raise NoEvent(f"its value is no JSON: {error}") from error
    data = record.get("data") if isinstance(record, dict) else None
    if not isinstance(data, dict):
        raise NoEvent("its value has no data")
    place_of = (int(place[1]), int(place[2]))
    return Event(texts["ce_type"], key.decode(errors="replace"), place_of, data)
