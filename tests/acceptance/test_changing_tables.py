"""The table's file replaced, truncated and deleted while it is served: no crash, and one version in every answer."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.conftest import OpenServer
from tests.acceptance.load import Journal, running_load
from tests.acceptance.small_table import Request, write_table
from tests.fault_table import Record

SWAP_COUNT = 50
JOBS_BETWEEN = 5


def _replace(table: Path) -> None:
    other = write_table(table.with_suffix(".other"), shift=20.0)
    other.replace(table)


def _truncate(table: Path) -> None:
    with table.open("r+b") as file:
        file.truncate(table.stat().st_size // 3)


def _overwrite(table: Path) -> None:
    table.write_bytes(b"\0" * 4096)


def _delete(table: Path) -> None:
    table.unlink()


def test_no_change_of_the_files_a_server_has_read_reaches_its_answers(
    open_server: OpenServer, table: Path, requests: list[Request], tmp_path: Path, record: Record
) -> None:
    served = Path(shutil.copy2(table, tmp_path / "served.csv"))
    server = open_server(served).start()
    (cube,) = (server.state / ".meantime" / "cubes").glob("*.cube")
    good_cube, journal = cube.read_bytes(), Journal()
    changes: list[Callable[[Path], None]] = [_replace, _truncate, _overwrite, _delete]
    with running_load(server, requests, journal):
        for change, target in itertools.islice(itertools.cycle(itertools.product(changes, [served, cube])), SWAP_COUNT):
            wanted = journal.right_count + JOBS_BETWEEN
            change(target)
            while journal.right_count < wanted:
                assert server.ask("GET", "/healthz").status == 200
            if target == cube:
                cube.write_bytes(good_cube)
            else:
                shutil.copy2(table, served)
    (server.state / "results").rename(tmp_path / "taken-away")
    lost = journal.check(server)
    assert server.stop() == 0
    record(
        f"table and cube changed {SWAP_COUNT} times under load",
        "no crash, no mixed versions",
        f"{journal.right_count} right results, {len(journal.wrong)} wrong, {len(lost)} lost, "
        f"{sum(journal.unheard.values())} requests without an answer",
    )
    assert (lost, journal.wrong, dict(journal.unheard)) == ([], [], {})


def test_a_table_that_has_changed_while_the_server_was_down_is_another_version(
    open_server: OpenServer, table: Path, requests: list[Request], tmp_path: Path
) -> None:
    served = Path(shutil.copy2(table, tmp_path / "served.csv"))
    server, journal = open_server(served).start(), Journal()
    first = str(server.post(requests[0].endpoint, requests[0].body).json()["job_id"])
    before = server.result(first)
    assert server.stop() == 0
    _replace(served)
    server.start()
    assert server.result(first) == before
    second = str(server.post(requests[0].endpoint, requests[0].body).json()["job_id"])
    assert server.result(second)["data"] != before["data"]
    assert journal.wrong == []
    assert server.stop() == 0
