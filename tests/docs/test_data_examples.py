"""From file to first answer, as ``docs/data.md`` shows it: each table's commands are run, and what they print compared.

A line ``...`` stands for any lines, ``...`` at a line's end for the rest of it.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.server_process import served

pytestmark = pytest.mark.acceptance

MEANTIME = [sys.executable, "-c", "from meantime.cli import main; main()"]
ADDRESS = "http://127.0.0.1:5000"
CHAPTER = "## From file to first answer\n"
STEP = re.compile(r"^\$ (?P<command>(?:.*\\\n)*.*\n)(?P<output>(?:[^$\n].*\n|\n(?!\$))*)", re.MULTILINE)
PAGE = Path(__file__).parents[2] / "docs" / "data.md"


def shown_tables() -> dict[str, list[tuple[str, str]]]:
    """Return each table's commands with the output shown below them, by the heading they stand under."""
    chapter = PAGE.read_text(encoding="utf-8").partition(CHAPTER)[2].partition("\n## ")[0]
    sections = [section.partition("\n") for section in chapter.split("\n### ")[1:]]
    found = {}
    for title, _, text in sections:
        blocks = re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        found[title] = [(step["command"], step["output"]) for block in blocks for step in STEP.finditer(block)]
    return found


TABLES = shown_tables()


def test_eight_kinds_of_tables_are_shown_from_file_to_answer() -> None:
    assert len(TABLES) == 8
    for steps in TABLES.values():
        programs = [command.split()[0] for command, _ in steps]
        assert (programs[0], programs[-1]) == ("head", "curl")
        assert "meantime" in programs


@pytest.mark.parametrize("title", TABLES)
def test_the_commands_of_a_table_print_what_the_page_shows(title: str, project: Path, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl (Debian: apt-get install curl)")
    for folder in (project / "tests" / "docs" / "tables", project / "tests" / "unit" / "survey" / "layouts"):
        for table in folder.glob("*.csv"):
            shutil.copy(table, tmp_path)
    shim = tmp_path / "bin" / "meantime"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {shlex.join(MEANTIME)} "$@"\n')
    shim.chmod(0o755)
    environment = {**os.environ, "PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}"}
    with ExitStack() as servers:
        url = ADDRESS
        for command, output in TABLES[title]:
            if command.startswith("meantime serve "):
                words = shlex.split(command.removesuffix("&\n"))[1:]
                url = servers.enter_context(served([*MEANTIME, *words], tmp_path))
                continue
            printed = subprocess.run(
                command.replace(ADDRESS, url),
                shell=True,
                check=True,
                cwd=tmp_path,
                env=environment,
                stdout=subprocess.PIPE,
            ).stdout.decode()
            assert re.fullmatch(pattern_of(output), printed), printed


def pattern_of(output: str) -> str:
    """Return the pattern of all outputs that a shown one stands for."""
    lines = []
    for line in output.rstrip("\n").splitlines():
        if line == "...":
            lines.append("(?:.*\n)*?")
        else:
            shown = re.escape(line.removesuffix("...")) + (".*" if line.endswith("...") else "")
            lines.append(f"{shown} *\n?")
    return "".join(lines) + "\n*"
