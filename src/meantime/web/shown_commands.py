"""How a command begins that is shown to be pasted: from the address its reader used, with a key where one is due."""

from __future__ import annotations

import shlex

from meantime.web.admission.callers import caller
from meantime.web.own_address import own_address

KEY_VARIABLE = "ACCESS_KEY"
"""The environment variable from which commands take an access key. A key itself is never sent back."""

KEY_FOR_CURL = f'-H "Authorization: Bearer ${{{KEY_VARIABLE}:?put your access key into it}}"'


def curl(path: str) -> str:
    """Return how a command begins that asks this server for a path: with a key, where the current request has one."""
    key = f"{KEY_FOR_CURL} " if caller().name else ""
    return f"curl {key}{shlex.quote(f'{own_address()}{path}')}"
