"""The built wheel, alone with its run-time dependencies in a clean venv: it serves what it should.

``make check-wheel`` builds the venv and names its interpreter in TEST_WHEEL_PYTHON.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.server_process import served

pytestmark = [pytest.mark.wheel, pytest.mark.acceptance]


@pytest.fixture
def wheel_bin() -> Path:
    """The folder of commands of the venv that holds the wheel."""
    python = os.environ.get("TEST_WHEEL_PYTHON")
    if python is None:
        pytest.skip("needs a venv with the wheel: make check-wheel")
    return Path(python).parent


def run(*command: str | Path, folder: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, cwd=folder, env=environment).stdout


def test_the_package_is_the_wheels_own(wheel_bin: Path, tmp_path: Path) -> None:
    code = "import meantime; print(meantime.__file__)"
    assert Path(run(wheel_bin / "python", "-c", code, folder=tmp_path)).is_relative_to(wheel_bin.parent)


def test_the_wheel_needs_no_developers_tool(wheel_bin: Path, tmp_path: Path) -> None:
    run(wheel_bin / "python", "-m", "pip", "check", folder=tmp_path)
    code = "import importlib.util; print(*filter(importlib.util.find_spec, ['pytest', 'mypy', 'pandas']))"
    assert run(wheel_bin / "python", "-c", code, folder=tmp_path).split() == []


def test_the_wheel_serves_the_bundled_table_and_passes_the_contracts_cases(
    wheel_bin: Path, tmp_path: Path, project: Path
) -> None:
    with served([wheel_bin / "meantime", "serve"], tmp_path) as url:
        report = run(wheel_bin / "meantime", "check", project / "tests/cases", "--url", url, folder=tmp_path)
    assert "cases passed" in report
    assert list((tmp_path / "results").glob("job_id_*.json"))


def test_the_wheel_carries_its_page(wheel_bin: Path, tmp_path: Path) -> None:
    with served([wheel_bin / "meantime", "serve"], tmp_path) as url:
        code = (
            "import sys, urllib.request as r;"
            "print(r.urlopen(r.Request(sys.argv[1], headers={'Accept': 'text/html'})).read().decode())"
        )
        assert "<html" in run(wheel_bin / "python", "-c", code, url, folder=tmp_path)
