"""What every test stands on is itself tested: the plain environment, and a watch that sees leaked threads alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import plain_environment

CONFTEST = """
import tests.conftest
from tests.conftest import leaked_threads

tests.conftest.THREAD_END_LIMIT_S = 0.1
"""

LEAKS = """
import threading

def test_leaks():
    threading.Thread(target=threading.Event().wait, name="forgotten", daemon=True).start()
"""

CLEANS_UP = """
import threading

def test_cleans_up():
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    stop.set()
    thread.join()
"""


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, project: Path) -> pytest.Pytester:
    """A pytest run of its own, in a process of its own: the leak must not reach this one."""
    monkeypatch.setenv("PYTHONPATH", str(project))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # half the time goes into plugins that it has no use for
    pytester.makeconftest(CONFTEST)
    return pytester


def test_no_test_sees_how_its_developer_has_set_up_a_shell_or_a_server() -> None:
    personal = ["MEANTIME_PORT", "TP_NUM_OF_THREADS", "http_proxy", "ALL_PROXY", "COLUMNS", "FORCE_COLOR", "LC_ALL"]
    given = dict.fromkeys([*personal, "LANG", "TERM"], "1") | {"PATH": "/bin"}
    assert plain_environment(given) == {"PATH": "/bin", "LANG": "C.UTF-8", "TERM": "xterm"}
    assert plain_environment(os.environ) == dict(os.environ)


def test_a_test_that_leaves_a_thread_running_fails(inner: pytest.Pytester) -> None:
    inner.makepyfile(LEAKS)
    result = inner.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines("*the test left threads running: forgotten*")


def test_a_test_that_ends_its_threads_passes(inner: pytest.Pytester) -> None:
    inner.makepyfile(CLEANS_UP)
    inner.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
