"""The pages of places in a real Chromium: built whole, silent, and printed on as many pages as is promised."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from meantime.survey.questions import Question
from tests.browser.test_pages import CHROMIUM, FLAGS, LIMIT_S, pytestmark, show, url
from tests.bundled import bundled_cube

__all__ = ["pytestmark", "url"]

PDFTOTEXT = shutil.which("pdftotext")


def printed(address: str, folder: Path) -> Path:
    """Return the page as Chromium prints it."""
    assert CHROMIUM is not None, "CI installs Chromium; see .ci/run"
    file = folder / "page.pdf"
    flags = [flag for flag in FLAGS if flag != "--dump-dom"]
    command = [CHROMIUM, *flags, f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={file}", address]
    subprocess.run(command, capture_output=True, timeout=LIMIT_S, check=True)
    return file


def page_count(file: Path) -> int:
    """Return how many pages a PDF says that it has."""
    return max(int(count) for count in re.findall(rb"/Count (\d+)", file.read_bytes()))


def letters(text: str) -> str:
    """Return a text without anything that a line's end may change."""
    return "".join(text.split())


@pytest.mark.parametrize(
    ("path", "texts"),
    [
        ("/places", ["/places/new-mexico", '<p class="filter">']),
        ("/places/ohio", ["Ohio is worse than the nation in 5", '<circle class="mark worse"']),
        ("/places/ohio?against=texas", ["Every question against Texas"]),
        ("/rug", ['<td class="cell worse">']),
    ],
)
def test_a_page_is_built_whole_and_its_console_is_silent(url: str, tmp_path: Path, path: str, texts: list[str]) -> None:
    page, console = show(url + path, tmp_path)
    assert [text for text in texts if text not in page] == []
    assert console == []


@pytest.mark.parametrize("place", ["ohio", "guam", "national", "district-of-columbia"])
def test_a_profile_prints_on_two_pages(url: str, tmp_path: Path, place: str) -> None:
    assert page_count(printed(f"{url}/places/{place}", tmp_path)) == 2


@pytest.mark.skipif(PDFTOTEXT is None, reason="needs pdftotext: apt-get install poppler-utils")
def test_the_printed_profile_has_the_place_and_every_question(url: str, tmp_path: Path) -> None:
    file = printed(f"{url}/places/ohio", tmp_path)
    command = [str(PDFTOTEXT), "-raw", str(file), "-"]
    text = letters(subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True).stdout)
    questions: tuple[Question, ...] = bundled_cube().questions
    shown = [letters(question.text.removeprefix("Percent of adults ")) for question in questions]
    assert [words for words in shown if words not in text] == []
    assert text.startswith("Ohio")
    assert letters("hn4x-zwk7") in text
