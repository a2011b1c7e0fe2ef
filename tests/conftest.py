"""What every test gets: a plain environment, a watch on leaked threads, the project's folders, hypothesis profiles.

No data is made here: cubes come from ``tests.cubes``, expected values from ``tests.reference``.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import hypothesis
import pytest

pytest_plugins = ["pytester", "tests.fault_table"]

PROJECT = Path(__file__).resolve().parent.parent
THREAD_END_LIMIT_S = 30.0

# How quickly examples are made says something about the machine, not about the code.
untimed = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("ci", untimed, max_examples=50, derandomize=True, database=None)
hypothesis.settings.register_profile("soak", untimed, max_examples=2_000, stateful_step_count=100)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

PERSONAL = re.compile(
    r"MEANTIME_.*|TP_NUM_OF_THREADS|FLASK_.*|.*_proxy|COLUMNS|LINES|NO_COLOR|FORCE_COLOR|CLICOLOR.*|TTY_.*|LC_.*|LANGUAGE",
    re.IGNORECASE,
)
"""What a developer sets up a shell or a server by; no test, and no process that it starts, is to see it."""


def plain_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment as every test finds it, whoever runs the tests and wherever."""
    kept = {name: value for name, value in environ.items() if not PERSONAL.fullmatch(name)}
    return kept | {"LANG": "C.UTF-8", "TERM": "xterm"}


def pytest_configure() -> None:
    """Make the environment plain before any test module is imported."""
    environment = plain_environment(os.environ)
    os.environ.clear()
    os.environ.update(environment)


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
