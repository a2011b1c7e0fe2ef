"""What the README shows is what happens: its request is sent by curl to a real server, and the answer compared."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server_process import served

pytestmark = pytest.mark.acceptance

SERVE = [sys.executable, "-c", "from meantime.cli import main; main()", "serve"]
ADDRESS = "http://127.0.0.1:5000"
STEP = re.compile(r"^\$ (?P<command>(?:.*\\\n)*.*\n)(?P<output>(?:[^$\n].*\n)*)", re.MULTILINE)


def shown_steps(project: Path) -> list[tuple[str, str]]:
    """Return the commands that ask the server, each with the output shown below it."""
    blocks = re.findall(r"^```console\n(.*?)^```$", (project / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    steps = [(step["command"], step["output"]) for block in blocks for step in STEP.finditer(block)]
    return [(command, output) for command, output in steps if command.startswith("curl ")]


def test_the_readmes_requests_get_the_answers_it_shows(project: Path, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl (Debian: apt-get install curl)")
    steps = shown_steps(project)
    assert len(steps) >= 2
    with served(SERVE, tmp_path) as url:
        for command, output in steps:
            answer = subprocess.run(
                command.replace(ADDRESS, url), shell=True, check=True, stdout=subprocess.PIPE
            ).stdout
            assert answer.decode().strip() == output.strip(), command


def test_the_readme_says_that_the_server_goes_on_before_it_asks_it(project: Path) -> None:
    before, _, asks = (project / "README.md").read_text().partition("$ curl ")
    assert "second terminal" in before[before.index("make run_server") :]
    assert "job_id_1" in asks


def test_the_readme_says_how_the_command_is_called_after_make(project: Path) -> None:
    readme = (project / "README.md").read_text()
    activation = readme.index("$ . .venv/bin/activate")
    assert "`.venv/bin/meantime`" in readme[:activation]
    assert "$ meantime" not in readme[:activation]
