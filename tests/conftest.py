"""What every test gets: a watch on leaked threads, the project's folders, hypothesis profiles.

No data is made here: cubes come from ``tests.cubes``, expected values from ``tests.reference``.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ["pytester", "tests.fault_table"]

PROJECT = Path(__file__).resolve().parent.parent
THREAD_END_LIMIT_S = 5.0

hypothesis.settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True, database=None)
hypothesis.settings.register_profile("soak", max_examples=2_000, stateful_step_count=100, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(autouse=True)
def leaked_threads() -> Iterator[None]:
    """Fail a test that leaves a thread behind; one that is just ending gets THREAD_END_LIMIT_S to do so."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + THREAD_END_LIMIT_S
    started = [thread for thread in threading.enumerate() if thread not in before]
    for thread in started:
        thread.join(max(0.0, deadline - time.monotonic()))
    names = sorted(thread.name for thread in started if thread.is_alive())
    if names:
        pytest.fail(f"the test left threads running: {', '.join(names)}")


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's root folder."""
    return PROJECT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of material beside a developer's checkout: CDC's full exports and the upstream cases."""
    folder = PROJECT.parent / "shared"
    if not (folder / "CONTRACT.md").is_file():
        pytest.skip("needs the folder 'shared' beside the checkout (full exports, upstream cases)")
    return folder
