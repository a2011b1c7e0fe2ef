"""webserver.log: what a line looks like, that nobody can forge one, rotation, and a disk that fails."""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from meantime.web.observation.access_log import AccessLog
from meantime.web.observation.log_writer import PENDING_LIMIT, RotatingFile

LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR) "
    r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]+"
)
HOSTILE = [
    "a\nb", "a\r\nb", "\x1b[31m", "a\x00b", "\x7f", "\x85", "\u2028", "\u2029", "\x0b\x0c\x1c\x1d\x1e", "\t", "\ud800",
    "2026-01-01T00:00:00.000Z ERROR forged", "\\n", "%0a",
    "\u202e", "\u2066x\u2069", "\u200f", "\ufeff", "\U000e0041", "é", "😀",
]  # fmt: skip

Open = Callable[..., AccessLog]
LIMIT_S = 30.0


@pytest.fixture
def open_log(tmp_path: Path) -> Iterator[Open]:
    """Opens a log on ``webserver.log``; a logger named ``probe`` writes to the last one."""
    logger = logging.getLogger("probe")
    opened: list[AccessLog] = []

    def open_one(**details: int) -> AccessLog:
        log = AccessLog(tmp_path / "webserver.log", **details)
        opened.append(log)
        log.start()
        logger.handlers = [log.handler]
        logger.setLevel(logging.DEBUG)
        return log

    yield open_one
    logger.handlers = []
    for log in opened:
        log.close()


def lines(folder: Path) -> list[str]:
    content = (folder / "webserver.log").read_bytes().decode("utf-8")
    assert content.endswith("\n")
    return content[:-1].split("\n")


def test_a_request_leaves_a_line_on_its_way_in_and_one_on_its_way_out(open_log: Open, tmp_path: Path) -> None:
    log = open_log()
    log.enter("POST", "/api/states_mean", "127.0.0.1", {"question": "Who?"})
    log.leave("POST", "/api/states_mean", "200", 0.00123, "job_id_7")
    log.enter("GET", "/api/jobs", "::1", None)
    log.leave("GET", "/api/jobs", "200", 0.5, "")
    log.close()
    found = lines(tmp_path)
    assert all(LINE.fullmatch(line) for line in found)
    assert [line[25:] for line in found] == [
        'INFO enter POST /api/states_mean {"question":"Who?"} from 127.0.0.1',
        "INFO exit POST /api/states_mean 200 job_id_7 1.2 ms",
        "INFO enter GET /api/jobs {} from ::1",
        "INFO exit GET /api/jobs 200 - 500.0 ms",
    ]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nobody_can_forge_a_line(open_log: Open, tmp_path: Path, hostile: str) -> None:
    log = open_log()
    log.enter("GET", f"/{hostile.encode('utf-8', 'surrogatepass').decode('latin-1')}", "127.0.0.1", {hostile: hostile})
    log.enter(hostile, "/", "127.0.0.1", {"deep": [{"er": hostile}]})
    log.leave("GET", f"/{hostile.encode('utf-8', 'surrogatepass').decode('latin-1')}", "404", 0.0, "")
    logging.getLogger("probe").error("reason: %s", hostile)
    try:
        int(hostile + "x")
    except ValueError:
        logging.getLogger("probe").exception("with a traceback of %s", hostile)
    log.close()
    found = lines(tmp_path)
    assert len(found) == 5
    assert all(LINE.fullmatch(line) for line in found)
    assert found[0].split(" ")[4].isascii()  # the path is one word
    assert "Traceback" in found[4]


def test_a_word_of_the_path_cannot_look_like_the_next_word(open_log: Open, tmp_path: Path) -> None:
    log = open_log()
    log.leave("GET", "/x 200 job_id_1 0.1 ms", "404", 0.0, "")
    log.close()
    assert lines(tmp_path)[0][25:] == "INFO exit GET /x%20200%20job_id_1%200.1%20ms 404 - 0.0 ms"


def test_long_parameters_and_paths_are_cut(open_log: Open, tmp_path: Path) -> None:
    log = open_log()
    log.enter("POST", "/" + "a" * 10_000, "127.0.0.1", {"question": "x" * 60_000})
    log.close()
    (line,) = lines(tmp_path)
    assert len(line) < 1400
    assert "..." in line


def test_records_of_a_logger_are_lines_from_their_level_up(open_log: Open, tmp_path: Path) -> None:
    log = open_log(level=logging.WARNING)
    logging.getLogger("probe").info("not this")
    logging.getLogger("probe").warning("but %s", "this")
    log.enter("GET", "/", "127.0.0.1", None)
    log.close()
    assert [line[25:] for line in lines(tmp_path)] == ["WARNING but this"]


def test_lines_of_many_threads_are_all_there_and_whole(open_log: Open, tmp_path: Path) -> None:
    log = open_log()
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        for i in range(500):
            log.enter("GET", f"/{number}/{i}", "127.0.0.1", None)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    paths = [line.split(" ")[4] for line in lines(tmp_path)]
    assert sorted(paths) == sorted(f"/{number}/{i}" for number in range(8) for i in range(500))
    for number in range(8):  # each thread's own lines keep their order
        own = [path for path in paths if path.startswith(f"/{number}/")]
        assert own == [f"/{number}/{i}" for i in range(500)]


def test_files_rotate_and_the_oldest_goes(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "webserver.log", maximum_bytes=100, file_count=3)
    for number in range(10):
        file.append(f"{number}".encode() * 60 + b"\n")
    file.close()
    found = {path.name: path.read_text()[0] for path in tmp_path.iterdir()}
    assert found == {"webserver.log": "9", "webserver.log.1": "8", "webserver.log.2": "7"}
    assert all(path.stat().st_size <= 100 for path in tmp_path.iterdir())


def test_a_rotated_log_has_every_line_once(open_log: Open, tmp_path: Path) -> None:
    log = open_log(maximum_bytes=2000, file_count=1000)
    for number in range(200):
        log.enter("GET", f"/{number}", "127.0.0.1", None)
        if number % 20 == 0:
            log.close()
            log = open_log(maximum_bytes=2000, file_count=1000)
    log.close()
    text = "".join(path.read_text() for path in tmp_path.iterdir())
    assert sorted(int(number) for number in re.findall(r" /(\d+) ", text)) == list(range(200))
    assert len(list(tmp_path.iterdir())) > 5


def test_the_file_is_for_its_owner_alone(open_log: Open, tmp_path: Path) -> None:
    log = open_log()
    log.enter("GET", "/", "127.0.0.1", None)
    log.close()
    assert (tmp_path / "webserver.log").stat().st_mode & 0o777 == 0o600


def test_a_file_that_somebody_moved_is_left_and_a_new_one_begun(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "webserver.log")
    file.append(b"one\n")
    (tmp_path / "webserver.log").rename(tmp_path / "elsewhere")
    file.append(b"two\n")
    (tmp_path / "webserver.log").unlink()
    file.append(b"three\n")
    file.close()
    assert (tmp_path / "elsewhere").read_text() == "one\n"
    assert (tmp_path / "webserver.log").read_text() == "three\n"


def test_lines_that_cannot_be_written_are_counted_once_they_can(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    log = AccessLog(folder / "webserver.log")
    (folder / "webserver.log").mkdir()  # a folder can't be opened for writing
    log.put("INFO", "lost 1")
    log.put("INFO", "lost 2")
    log.write_pending()
    log.put("INFO", "lost 3")
    log.write_pending()
    (folder / "webserver.log").rmdir()
    log.put("INFO", "there again")
    log.write_pending()
    assert [line[25:] for line in lines(folder)] == [
        "INFO there again",
        "ERROR 3 lines of this log could not be written",
    ]


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = RotatingFile(tmp_path / "webserver.log")
    file.append(b"first line\n")
    real_write = os.write
    room = [5]

    def write_into_little_room(descriptor: int, content: bytes) -> int:
        if room[0] == 0:
            raise OSError(28, "No space left on device")
        written = real_write(descriptor, content[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr(os, "write", write_into_little_room)
    with pytest.raises(OSError, match="No space"):
        file.append(b"second line\n")
    monkeypatch.undo()
    assert (tmp_path / "webserver.log").read_bytes() == b"first line\n"
    file.append(b"third line\n")
    file.close()
    assert (tmp_path / "webserver.log").read_bytes() == b"first line\nthird line\n"


def test_more_lines_than_may_wait_are_lost_and_counted(tmp_path: Path) -> None:
    log = AccessLog(tmp_path / "webserver.log")
    for _ in range(PENDING_LIMIT + 7):
        log.put("INFO", "x")
    log.write_pending()
    found = lines(tmp_path)
    assert len(found) == PENDING_LIMIT + 1
    assert found[-1][25:] == "ERROR 7 lines of this log could not be written"


def test_closing_writes_what_waits_and_can_be_done_twice(open_log: Open, tmp_path: Path) -> None:
    log = open_log()
    for number in range(1000):
        log.put("INFO", str(number))
    log.close()
    log.close()
    assert len(lines(tmp_path)) == 1000


def test_a_line_that_cannot_be_encoded_is_counted_and_the_writer_goes_on(open_log: Open, tmp_path: Path) -> None:
    log = open_log()
    log.put("INFO", "half of a pair: \ud83d")
    deadline = time.monotonic() + LIMIT_S
    while not log.lost_line_count():
        assert time.monotonic() < deadline, "the line was not counted"
    log.put("INFO", "the next")
    log.close()
    written, note = lines(tmp_path)
    assert written.endswith("INFO the next")
    assert note.endswith("ERROR 1 lines of this log could not be written")
