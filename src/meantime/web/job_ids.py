"""Job ids as clients write them: ``job_id_7``, or ``7``."""

from __future__ import annotations

import re

from meantime.errors import UnknownJobError

_JOB_ID = re.compile(r"(?:job_id_)?([1-9][0-9]{0,17})", re.ASCII)


def job_number(job_id: str) -> int:
    """Return the number in an id, ``job_id_7`` or ``7``.

    Raises
    ------
    UnknownJobError
        It isn't an id.

    Examples
    --------
    >>> job_number("job_id_7"), job_number("7")
    (7, 7)
    """
    found = _JOB_ID.fullmatch(job_id)
    if found is None:
        raise UnknownJobError("that is no job id; they look like job_id_1")
    return int(found[1])
