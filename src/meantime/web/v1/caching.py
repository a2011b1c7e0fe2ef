"""How long what the current version of a dataset answers may be kept, and what one version does."""

from __future__ import annotations

from meantime.web.admission.callers import caller

_LIVE = "max-age=60, must-revalidate"
_FROZEN = "max-age=31536000, immutable"


def cache_control(*, is_frozen: bool) -> str:
    """Return the header for the current caller: what a key opened is kept by nobody else."""
    return f"{'private' if caller().name else 'public'}, {_FROZEN if is_frozen else _LIVE}"
