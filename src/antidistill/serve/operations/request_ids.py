"""Request ids: the caller's own where it is a plain one, else a new one."""

from __future__ import annotations

import re
import uuid

HEADER = "x-request-id"
_PLAIN = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)


def request_id(given: str | None) -> str:
    """The id of a request, for its log lines, its audit row, the engine and the answer.

    Args:
        given: what the caller sent as `x-request-id`. Anything but letters, digits and `._:-` is not taken over: it would
            stand in headers and logs.
    """
    return given if given is not None and _PLAIN.fullmatch(given) else uuid.uuid4().hex
