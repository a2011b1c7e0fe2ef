"""Write the contract's cases for the bundled table: ``python -m tests.make_cases``.

Each case is a request and the ``data`` of the right answer, ``tests/cases/<endpoint>/input/in-N.json`` and
``output/out-N.json``, as ``meantime check`` reads them. The answers come from ``tests/reference.py``, which reads the
CSV itself; the code under test has no part in them. Endpoints without a location get all requests that there are, one a
question; the others two a question, with the nation and territories among the locations.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.reference import CONTRACT, CONTRACT_DIRECTIONS, Row, read_rows

PROJECT = Path(__file__).resolve().parent.parent
CASES = PROJECT / "tests" / "cases"
BUNDLED = PROJECT / "src" / "meantime" / "data" / "npao-brfss-2011-2023.csv.gz"

LOCATIONS = (
    "Alabama",
    "California",
    "District of Columbia",
    "Guam",
    "Hawaii",
    "Kentucky",
    "National",
    "New Jersey",
    "Puerto Rico",
    "Texas",
    "Virgin Islands",
    "Wyoming",
)
CASES_A_QUESTION = 2
"""For endpoints with a location: so many locations of each question, in turn."""


class Case(NamedTuple):
    """One request to one endpoint, and the ``data`` of the right answer."""

    endpoint: str
    number: int
    request: dict[str, str]
    answer: object


def requests(endpoint: str) -> list[dict[str, str]]:
    """Return the requests of one endpoint, in order."""
    questions = list(CONTRACT_DIRECTIONS)
    if not endpoint.startswith("state_"):
        return [{"question": question} for question in questions]
    pairs = [(question, place) for question in questions for place in range(CASES_A_QUESTION)]
    return [
        {"question": question, "state": LOCATIONS[turn % len(LOCATIONS)]} for turn, (question, _) in enumerate(pairs)
    ]


def cases(rows: Sequence[Row]) -> Iterator[Case]:
    """Yield every case, answered by the naive reference."""
    by_question: dict[str, list[Row]] = {}
    for row in rows:
        by_question.setdefault(row.question, []).append(row)
    for endpoint, answer in CONTRACT.items():
        for number, request in enumerate(requests(endpoint), start=1):
            yield Case(endpoint, number, request, answer(by_question[request["question"]], **request))


def files(case: Case) -> dict[Path, str]:
    """Return the two files of a case, below the folder of cases, and what is in them."""
    folder = Path(case.endpoint)
    return {
        folder / "input" / f"in-{case.number}.json": json.dumps(case.request, ensure_ascii=False) + "\n",
        folder / "output" / f"out-{case.number}.json": json.dumps(case.answer, ensure_ascii=False) + "\n",
    }


def main() -> None:
    """Write all cases anew."""
    shutil.rmtree(CASES, ignore_errors=True)
    for case in cases(read_rows(BUNDLED)):
        for path, content in files(case).items():
            (CASES / path).parent.mkdir(parents=True, exist_ok=True)
            (CASES / path).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
