"""Several requests as one: how they are stored, and how their answers are put together.

A batch is one job with one result, so it is accepted, kept and found again as every other job is. Each of its requests
is computed as if it were asked alone, so it has the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from meantime.errors import StatisticError
from meantime.statistics.requests import canonical_json
from meantime.statistics.statistic import Statistic

BATCH = "batch"
"""The name of a batch among the names of statistics."""

MOST_REQUESTS = 200

MOST_BYTES = 32 * 1024 * 1024
"""What the answers of one batch may take together."""


def canonical_batch(requests: Sequence[Statistic]) -> str:
    """Return settled requests as JSON: each with its statistic, in their order."""
    listed = [
        {"statistic": request.name, "parameters": orjson.Fragment(canonical_json(request).encode())}
        for request in requests
    ]
    return orjson.dumps({"requests": listed}).decode("utf-8")


def requests_in(text: str) -> list[tuple[str, str]]:
    """Return statistic and canonical JSON of each request that ``canonical_batch`` wrote."""
    return [
        (each["statistic"], orjson.dumps(each["parameters"]).decode("utf-8")) for each in orjson.loads(text)["requests"]
    ]


class BatchAnswers:
    """The answers of a batch, as they come."""

    def __init__(self) -> None:
        self._answers: list[dict[str, object]] = []
        self._size_bytes = 0

    def add_result(self, statistic: str, content: bytes) -> None:
        """Add the encoded answer to one request.

        Raises
        ------
        StatisticError
            The answers are too large together.
        """
        self._size_bytes += len(content)
        if self._size_bytes > MOST_BYTES:
            raise StatisticError(
                f"the answers take more than {MOST_BYTES // 1024**2} MB together: {len(self._answers)} did not; ask for"
                " fewer at once"
            )
        self._answers.append({"statistic": statistic, "state": "done", "result": orjson.Fragment(content)})

    def add_failure(self, statistic: str, reason: str) -> None:
        """Add why one request has no answer."""
        self._answers.append({"statistic": statistic, "state": "failed", "reason": reason})

    def encoded(self) -> bytes:
        """Return all of them as JSON, in the order of the requests."""
        return orjson.dumps({"answers": self._answers})
