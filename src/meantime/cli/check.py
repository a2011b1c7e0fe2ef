"""``meantime check``: send a folder of requests to a running server and compare what it answers.

It speaks the wire contract and nothing else, so it checks any server of the contract; it knows no statistic.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import click
import requests
from rich.console import Console
from rich.table import Table

from meantime.fields.fields import parse_json
from meantime.fields.refusals import printable

TOLERANCE = 0.01
"""How far a number may be from the expected one; the public checker's figure."""

_FAILURES_SHOWN = 20
_DIFFERENCES_SHOWN = 3
_NOT_ALLOWED = (401, 403)
_ADDRESS = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~-]*)*", re.ASCII)
_KEY = re.compile(r"[A-Za-z0-9._~+/=-]+", re.ASCII)
_REQUEST_FILE = re.compile(r"in-(\d+)\.json")


class UnusableError(click.ClickException):
    """The check can't begin: the folder holds no cases, or nobody answers at the address."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Case:
    """One request to one endpoint, and the ``data`` of the right answer."""

    endpoint: str
    number: int
    request: object
    expected: object


@dataclass(frozen=True, slots=True)
class Failure:
    """One case that failed, and why: one line a difference."""

    case: Case
    reasons: tuple[str, ...]


def differences(expected: object, actual: object, *, tolerance: float = TOLERANCE, place: str = "data") -> list[str]:
    """List where an answer differs from the expected one, by the contract's rules.

    Two floats may differ by the tolerance. Everything else has to be the same, the type too: an integer is not
    the float of the same value, nor ``true`` the integer 1. The order of keys does not count, that of a list does.

    Parameters
    ----------
    expected, actual
        Values as ``json.loads`` gives them.
    tolerance
        The largest difference between two floats, in their own unit.
    place
        What the compared value is called in the lines returned.

    Returns
    -------
    list of str
        One line a difference, in the order of the expected value; empty when there is none.

    Examples
    --------
    >>> differences({"Ohio": 30.5}, {"Ohio": 30.509})
    []
    >>> differences({"Ohio": 30.0}, {"Ohio": 30, "Guam": 1.5})
    ['data.Ohio is the int 30, expected the float 30.0', 'data.Guam is not expected']
    """
    if isinstance(expected, dict) and isinstance(actual, dict):
        return _key_differences(expected, actual, tolerance=tolerance, place=place)
    if isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            return [f"{place} has {len(actual)} entries, expected {len(expected)}"]
        return [
            line
            for i, (one, other) in enumerate(zip(expected, actual, strict=True))
            for line in differences(one, other, tolerance=tolerance, place=f"{place}[{i}]")
        ]
    if type(expected) is not type(actual):
        return [f"{place} is {_described(actual)}, expected {_described(expected)}"]
    if isinstance(expected, float) and isinstance(actual, float):
        # NaN compares false with everything, so it never counts as close.
        return [] if abs(expected - actual) <= tolerance else [f"{place} is {actual}, expected {expected}"]
    return [] if expected == actual else [f"{place} is {_described(actual)}, expected {_described(expected)}"]


def _key_differences(
    expected: Mapping[str, object], actual: Mapping[str, object], *, tolerance: float, place: str
) -> list[str]:
    lines = []
    for key, value in expected.items():
        if key in actual:
            lines += differences(value, actual[key], tolerance=tolerance, place=f"{place}.{key}")
        else:
            lines.append(f"{place}.{key} is missing")
    return lines + [f"{place}.{key} is not expected" for key in actual if key not in expected]


def _described(value: object) -> str:
    if value is None:
        return "null"
    text = json.dumps(value)
    return f"the {type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"


def read_cases(folder: Path) -> list[Case]:
    """Read ``<endpoint>/input/in-N.json`` and ``<endpoint>/output/out-N.json`` below a folder.

    Returns
    -------
    list of Case
        By endpoint, then number.

    Raises
    ------
    UnusableError
        When there is no case, a request has no expected answer, or a file is not JSON.
    """
    cases = []
    for request_file in folder.glob("*/input/in-*.json"):
        match = _REQUEST_FILE.fullmatch(request_file.name)
        if match is None:
            raise UnusableError(f"{request_file}: the name has no number; a request is called in-1.json, in-2.json ...")
        endpoint_folder = request_file.parent.parent
        expected_file = endpoint_folder / "output" / f"out-{match[1]}.json"
        cases.append(Case(endpoint_folder.name, int(match[1]), _read_json(request_file), _read_json(expected_file)))
    if not cases:
        raise UnusableError(f"{folder} holds no cases: expected files such as {folder / 'best5/input/in-1.json'}")
    return sorted(cases, key=lambda case: (case.endpoint, case.number))


def _read_json(file: Path) -> object:
    try:
        value = parse_json(file.read_bytes())
    except OSError as error:
        raise UnusableError(f"{file} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise UnusableError(f"{file} is not JSON: {error}") from error
    return value


class ContractClient:
    """One connection to a server of the contract.

    Parameters
    ----------
    session
        The connection; the caller closes it.
    url
        Where the server is, without a path.
    limit_s
        How long a job, or a single answer, may take.
    poll_interval_s
        How long to wait before asking again for a result.
    monotonic
        Gives seconds that never go back, for ``limit_s``.
    """

    def __init__(
        self,
        session: requests.Session,
        url: str,
        *,
        limit_s: float,
        poll_interval_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._limit_s = limit_s
        self._poll_interval_s = poll_interval_s
        self._monotonic = monotonic

    def run(self, case: Case) -> list[str]:
        """Submit a case, wait for its result and return what is wrong with it, one line each.

        Raises
        ------
        UnusableError
            When nobody answers at the address, or the server wants another key.
        """
        try:
            answer = self._answer("POST", f"/api/{case.endpoint}", case.request)
            if isinstance(answer, dict) and "job_id" not in answer and isinstance(answer.get("reason"), str):
                return [f"the server refuses the request: {answer['reason']}"]
            if not isinstance(answer, dict) or "job_id" not in answer:
                return [f"the answer to the request carries no job_id: {_described(answer)}"]
            return self._compare_result(case, str(answer["job_id"]))
        except requests.ReadTimeout:
            return [f"no answer within {self._limit_s:g} s"]
        except requests.RequestException as error:
            raise UnusableError(f"no server answers at {self._url}: {_root_cause(error)}") from error
        except ValueError as error:
            return [f"the answer is not JSON: {error}"]

    def _compare_result(self, case: Case, job_id: str) -> list[str]:
        deadline = self._monotonic() + self._limit_s
        while True:
            answer = self._answer("GET", f"/api/get_results/{job_id}")
            status = answer.get("status") if isinstance(answer, dict) else None
            if isinstance(answer, dict) and status == "done":
                return differences(case.expected, answer.get("data"))
            if status != "running":
                return [f"get_results answers {_described(answer)}"]
            if self._monotonic() >= deadline:
                return [f"{job_id} is still running after {self._limit_s:g} s"]
            time.sleep(self._poll_interval_s)  # the contract has nothing to wait on: clients poll

    def _answer(self, method: str, path: str, body: object = None) -> object:
        response = self._session.request(
            method, self._url + path, json=body, timeout=self._limit_s, allow_redirects=False
        )
        if response.status_code in _NOT_ALLOWED:
            is_known = "Authorization" in self._session.headers
            wanted = "does not accept this access key" if is_known else "takes an access key; give --key-file"
            raise UnusableError(f"the server at {self._url} {wanted} ({response.status_code} {response.reason})")
        return parse_json(response.content)


def _root_cause(error: BaseException) -> str:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return str(error)


def _names(cases: Sequence[Case]) -> str:
    """Return the names of cases that are in order: ``best5 1-3, 5, worst5 1``."""
    runs: list[tuple[str, int, int]] = []
    for case in cases:
        if runs and runs[-1][0] == case.endpoint and runs[-1][2] == case.number - 1:
            runs[-1] = (case.endpoint, runs[-1][1], case.number)
        else:
            runs.append((case.endpoint, case.number, case.number))
    shown, before = [], ""
    for endpoint, first, last in runs:
        numbers = str(first) if first == last else f"{first}-{last}"
        shown.append(numbers if endpoint == before else f"{endpoint} {numbers}")
        before = endpoint
    return ", ".join(shown)


def _print_report(console: Console, cases: Sequence[Case], failures: Sequence[Failure]) -> None:
    totals = Counter(case.endpoint for case in cases)
    failed = Counter(failure.case.endpoint for failure in failures)
    table = Table("endpoint", "passed", "failed", "of")
    for column in table.columns[1:]:
        column.justify = "right"
    for endpoint, total in totals.items():
        style = "red" if failed[endpoint] else None
        table.add_row(endpoint, str(total - failed[endpoint]), str(failed[endpoint]), str(total), style=style)
    console.print(table)
    alike: dict[tuple[str, ...], list[Case]] = {}
    for failure in failures:
        alike.setdefault(failure.reasons, []).append(failure.case)
    for reasons, failing in list(alike.items())[:_FAILURES_SHOWN]:
        shown = list(reasons[:_DIFFERENCES_SHOWN])
        if len(reasons) > len(shown):
            shown.append(f"and {len(reasons) - len(shown)} more differences")
        console.print(
            printable(f"{_names(failing)}: {'; '.join(shown)}"), markup=False, highlight=False, soft_wrap=True
        )
    if len(alike) > _FAILURES_SHOWN:
        not_shown = sum(len(failing) for failing in list(alike.values())[_FAILURES_SHOWN:])
        console.print(f"and {not_shown} more failures", highlight=False)
    console.print(f"{len(cases) - len(failures)} of {len(cases)} cases passed", highlight=False)


def _base_url(given: str) -> str:
    """Return an address as a URL without a slash at its end; ``http://`` may be left out."""
    url = given if "://" in given else f"http://{given}"
    if _ADDRESS.fullmatch(url) is None:
        raise UnusableError(f"--url: {given!r} is no address; give one such as http://127.0.0.1:5000")
    return url.rstrip("/")


def _headers_of(key_file: BinaryIO | None) -> dict[str, str]:
    """Return the header with the access key that a file holds; none without a file."""
    if key_file is None:
        return {}
    key = key_file.read(1000).strip().decode("ascii", "replace")
    if _KEY.fullmatch(key) is None:
        raise UnusableError(f"{key_file.name} holds no access key; write into it what 'meantime keys add' prints")
    return {"Authorization": f"Bearer {key}"}


@click.command()
@click.argument("cases", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--url", default="http://127.0.0.1:5000", show_default=True, help="Where the server is.")
@click.option(
    "--timeout",
    "limit_s",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long one job may take; the public checker allows 1.",
)
@click.option(
    "--poll-interval",
    "poll_interval_s",
    type=click.FloatRange(min=0, min_open=True),
    default=0.2,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait before asking again for a result.",
)
@click.option("--key-file", type=click.File("rb"), help="Where the access key is that the server takes; - reads it in.")
def check(cases: Path, url: str, limit_s: float, poll_interval_s: float, key_file: BinaryIO | None) -> None:
    """Check a running server against the expected responses in the folder CASES.

    CASES holds a folder for each endpoint, with requests input/in-1.json, input/in-2.json ... and the data of
    their answers in output/out-1.json, output/out-2.json ...
    Numbers may differ by 0.01; an integer in place of a float, and a missing or extra key, is a failure.

    Exit status: 0 when all cases pass, 1 when one fails, 2 when the cases can't be read, nobody answers, or the server
    takes an access key that wasn't given.
    """
    to_run, base_url, headers = read_cases(cases), _base_url(url), _headers_of(key_file)
    with requests.Session() as session:
        session.headers.update(headers)
        client = ContractClient(session, base_url, limit_s=limit_s, poll_interval_s=poll_interval_s)
        failures = [Failure(case, tuple(reasons)) for case in to_run if (reasons := client.run(case))]
    _print_report(Console(), to_run, failures)
    if failures:
        raise click.exceptions.Exit(1)
