"""Which form of a result a client gets, by its ``Accept`` header. The forms are in ``formats``."""

from __future__ import annotations

from collections.abc import Sequence

from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import NotAcceptable

from meantime.formats.result_formats import Format


def choose_format(accept: MIMEAccept, offered: Sequence[Format]) -> Format:
    """Return the form that a client likes best (RFC 9110, section 12.5.1); the first without an Accept header.

    Raises
    ------
    NotAcceptable
        The client accepts none of them.
    """
    if not accept.provided:
        return offered[0]
    found = accept.best_match([each.media_type for each in offered])
    for each in offered:
        if each.media_type == found:
            return each
    names = ", ".join(f"{each.media_type} (.{each.name})" for each in offered)
    raise NotAcceptable(f"this result comes as {names}")
