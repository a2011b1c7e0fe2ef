"""An hour of mixed load and faults at random: nothing is lost, nothing grows. ``SOAK_S`` and ``SOAK_SEED`` set it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import OpenServer
from tests.acceptance.load import store_problems
from tests.acceptance.small_table import Request
from tests.acceptance.soak import Soak
from tests.fault_table import Record

DURATION_S = float(os.environ.get("SOAK_S") or 3600)
SEED = int(os.environ.get("SOAK_SEED") or 20261125)
MEMORY_GROWTH = 1.25
MEMORY_SLACK_BYTES = 32_000_000
COUNT_SLACK = 32
"""How many more descriptors and threads a quiet server may have than at most in the first half of its life."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path | None]:
    """A file system of 512 MB, or None where this user may not mount one; see ``OWN_MOUNTS`` in the Makefile."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512m", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        yield None
        return
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.soak
def test_mixed_load_and_faults_at_random_lose_nothing_and_leave_nothing_behind(
    open_server: OpenServer,
    requests: list[Request],
    disk: Path | None,
    record: Record,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = open_server(state=disk / "state" if disk else None)
    soak = Soak(server, requests, disk, SEED)
    try:
        soak.run(DURATION_S)
    finally:
        with capsys.disabled():
            title = f"soak of {DURATION_S:g} s, seed {SEED}{'' if disk else '; no disk to fill'}"
            sys.stdout.write(f"\n{title}\n{soak.table()}\n")
    journal = soak.journal
    lost, duplicates = journal.check(server), journal.duplicates()
    soak.exit_codes[server.stop()] += 1
    problems = store_problems(server.store_file)
    last_life = [sample for sample in soak.samples if sample.life == soak.life]
    # Threads and memory first grow to what the faults take at once: growth is what comes after that.
    early, last = last_life[: (len(last_life) + 1) // 2], last_life[-1]
    resident_bytes = max(sample.resident_bytes for sample in early)
    descriptor_count = max(sample.descriptor_count for sample in early)
    thread_count = max(sample.thread_count for sample in early)
    record(
        f"soak, {DURATION_S:g} s, seed {SEED}",
        "0 lost, 0 wrong, 0 duplicate ids, store intact, every drain exits 0; memory, descriptors, threads flat",
        f"{len(journal.acknowledged):,} acknowledged over {soak.life} lives, {dict(soak.faults)}: {len(lost)} lost, "
        f"{len(journal.wrong)} wrong, {len(duplicates)} duplicate ids, store {'damaged' if problems else 'intact'}, "
        f"{journal.full_count} answers 'storage full', refused {dict(journal.refused)}, exits {dict(soak.exit_codes)}; "
        f"last life {resident_bytes / 1e6:.0f} -> {last.resident_bytes / 1e6:.0f} MB, "
        f"{descriptor_count} -> {last.descriptor_count} descriptors, "
        f"{thread_count} -> {last.thread_count} threads",
    )
    assert (lost, journal.wrong, duplicates, problems) == ([], [], [], [])
    assert set(soak.exit_codes) == {0}
    assert last.resident_bytes <= MEMORY_GROWTH * resident_bytes + MEMORY_SLACK_BYTES
    assert last.descriptor_count <= descriptor_count + COUNT_SLACK
    assert last.thread_count <= thread_count + COUNT_SLACK
