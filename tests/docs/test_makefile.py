"""The Makefile takes the variables that people give it, and refuses the others instead of doing something else."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.conftest import PROJECT


def dry_run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Have make say what it would do, without doing it."""
    if shutil.which("make") is None:
        pytest.skip("needs make (Debian: apt-get install make)")
    # Those of the make that runs the tests are not meant.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "ARGS"))}
    return subprocess.run(
        ["make", "--dry-run", *arguments],
        cwd=PROJECT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (("run_server",), "meantime serve"),
        (("run_server", "PORT=5100"), "meantime serve --port 5100"),
        (("run_server", "PORT=5100", "ARGS=table.csv"), "meantime serve --port 5100 table.csv"),
        (("run_server", "ARGS=--port 5100"), "meantime serve --port 5100"),
        (("run_tests",), "meantime check tests/cases --url http://127.0.0.1:5000"),
        (("run_tests", "PORT=5100"), "meantime check tests/cases --url http://127.0.0.1:5100"),
        (("run_tests", "URL=stats:80", "CASES=mine"), "meantime check mine --url stats:80"),
    ],
)
def test_a_variable_reaches_the_command(arguments: tuple[str, ...], command: str) -> None:
    done = dry_run(*arguments)
    assert done.returncode == 0, done.stderr
    assert [line.rstrip() for line in done.stdout.splitlines() if "meantime " in line and "pip" not in line][
        -1
    ].endswith(command)


def test_a_variable_that_no_target_knows_is_refused_with_those_that_are_known() -> None:
    done = dry_run("run_server", "PROT=5100")
    assert done.returncode == 2
    assert "PROT is no variable of this Makefile; known: ARGS CASES PORT" in done.stderr


def test_a_port_of_the_shell_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "5100")
    assert "5100" not in dry_run("run_server").stdout
