"""Pictures: what comes out, that it's drawn once, and that neither death nor a hang of the process stops anybody."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from meantime.charts import chart_of
from meantime.charts.rendering.picture_renderer import PictureRenderer
from meantime.charts.themes import Spec
from meantime.errors import InvalidParameterError, PictureError, PictureUnavailableError
from tests.unit.charts.documents import made_up, record

pytestmark = pytest.mark.slow  # starts the engine that draws

SHORT_S = 1.0
WAIT_LIMIT_S = 30.0


def chart(value: float = 30.0) -> Spec:
    return chart_of(made_up([record("Ohio", value), record("Utah", None)]), "mean", "bars")


@pytest.fixture(scope="module")
def renderer() -> Iterator[PictureRenderer]:
    found = PictureRenderer()
    yield found
    found.close()


def process_of(renderer: PictureRenderer) -> int:
    number = renderer.process_id
    assert number is not None
    return number


@pytest.mark.parametrize(("form", "start"), [("svg", b"<svg"), ("png", b"\x89PNG\r\n\x1a\n"), ("pdf", b"%PDF-")])
def test_a_chart_becomes_a_picture_in_each_form(renderer: PictureRenderer, form: str, start: bytes) -> None:
    assert renderer.render(chart(), form).startswith(start)


def test_a_picture_says_in_words_what_the_chart_says(renderer: PictureRenderer) -> None:
    text = renderer.render(chart(), "svg").decode()
    assert "no estimate" in text
    assert ">Ohio<" in text


def test_a_scale_makes_a_png_larger(renderer: PictureRenderer) -> None:
    sizes = [int.from_bytes(renderer.render(chart(), "png", scale)[16:20], "big") for scale in (1.0, 2.0)]
    assert sizes[1] == pytest.approx(2 * sizes[0], abs=2)


def test_the_same_chart_is_drawn_once_and_a_changed_one_again(renderer: PictureRenderer) -> None:
    first = renderer.render(chart(41.0), "svg")
    process = process_of(renderer)
    os.kill(process, signal.SIGSTOP)  # whatever is answered now comes from the cache
    try:
        assert renderer.render(chart(41.0), "svg") is first
        assert renderer.render(chart(41.0), "svg", 3.0) is first  # an SVG has no scale
    finally:
        os.kill(process, signal.SIGCONT)
    assert renderer.render(chart(42.0), "svg") != first


def test_cached_pictures_take_bounded_memory() -> None:
    renderer = PictureRenderer(cache_bytes=20_000)
    try:
        for value in range(30, 36):
            renderer.render(chart(float(value)), "svg")
            assert 0 < renderer.cached_bytes <= 20_000
        assert len(renderer.render(chart(), "png", 2.0)) > 20_000  # too large to be kept, and drawn all the same
        assert renderer.cached_bytes <= 20_000
    finally:
        renderer.close()


def test_a_process_that_was_killed_is_replaced_and_nobody_notices(renderer: PictureRenderer) -> None:
    renderer.render(chart(), "svg")
    before = process_of(renderer)
    os.kill(before, signal.SIGKILL)
    assert renderer.render(chart(51.0), "svg").startswith(b"<svg")
    assert process_of(renderer) != before


def test_a_process_that_hangs_is_ended() -> None:
    renderer = PictureRenderer(time_limit_s=SHORT_S)
    try:
        renderer.start()
        hung = process_of(renderer)
        os.kill(hung, signal.SIGSTOP)
        with pytest.raises(
            PictureUnavailableError, match=r"^the picture took longer than 1 s; .* try again$"
        ) as caught:
            renderer.render(chart(52.0), "svg")
        assert caught.value.retry_after_s > 0
        assert not Path(f"/proc/{hung}").exists()
        assert renderer.process_id is None
    finally:
        renderer.close()


def test_who_finds_the_line_full_is_told_at_once_and_the_others_get_their_pictures() -> None:
    renderer = PictureRenderer(time_limit_s=WAIT_LIMIT_S, line_length=2)
    try:
        renderer.start()
        process = process_of(renderer)
        os.kill(process, signal.SIGSTOP)
        with ThreadPoolExecutor(3) as pool:
            asked = [pool.submit(renderer.render, chart(60.0 + i), "svg") for i in range(3)]
            refused, waiting = wait(asked, WAIT_LIMIT_S, FIRST_COMPLETED)
            os.kill(process, signal.SIGCONT)
            assert [each.result()[:4] for each in waiting] == [b"<svg", b"<svg"]
        (error,) = (each.exception() for each in refused)
        assert isinstance(error, PictureUnavailableError)
        assert str(error) == "many pictures are being drawn; try again soon"
        assert error.retry_after_s == 2
    finally:
        renderer.close()


def test_a_process_that_held_much_memory_is_replaced() -> None:
    renderer = PictureRenderer(process_bytes=1)
    try:
        renderer.render(chart(), "svg")
        assert renderer.process_id is None
        assert renderer.render(chart(61.0), "svg").startswith(b"<svg")
    finally:
        renderer.close()


class _Visited(BaseHTTPRequestHandler):
    """A site that has what is asked for, and notes who came."""

    visits: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.visits.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"a\n1\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Say nothing."""


def test_nothing_is_fetched_from_anywhere(renderer: PictureRenderer, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n", "utf-8")
    with HTTPServer(("127.0.0.1", 0), _Visited) as site, ThreadPoolExecutor(1) as pool:
        pool.submit(site.serve_forever)
        try:
            for address in (f"http://127.0.0.1:{site.server_port}/a.csv", f"file://{secret}", str(secret)):
                spec = {"data": {"url": address}, "mark": "text", "encoding": {"text": {"field": "a"}}}
                with contextlib.suppress(PictureError):
                    assert b">1<" not in renderer.render(spec, "svg")
        finally:
            site.shutdown()
    assert _Visited.visits == []


def test_a_spec_that_is_none_is_an_error_and_the_process_lives_on(renderer: PictureRenderer) -> None:
    renderer.render(chart(), "svg")
    process = process_of(renderer)
    with pytest.raises(PictureError, match="^the chart can't be drawn: .*report this as a bug$"):
        renderer.render({"mark": {"type": "no such mark"}}, "svg")
    assert process_of(renderer) == process


def test_a_form_or_scale_that_cannot_be_is_refused(renderer: PictureRenderer) -> None:
    with pytest.raises(
        InvalidParameterError, match="^format: there is no picture in the form 'bmp'; choose one of svg"
    ):
        renderer.render(chart(), "bmp")
    for scale in (0.0, 5.0, float("nan")):
        with pytest.raises(InvalidParameterError, match=r"^scale: \S+ is not from 0.25 to 4$"):
            renderer.render(chart(), "png", scale)
    tall: Spec = {"width": 5000, "height": 5000, "mark": "point"}
    with pytest.raises(InvalidParameterError, match=r"^scale: the picture would have \d+ million pixels"):
        renderer.render(tall, "png", 4.0)


def test_a_closed_renderer_leaves_no_process_and_draws_no_more() -> None:
    renderer = PictureRenderer()
    renderer.start()
    process = process_of(renderer)
    renderer.close()
    assert not Path(f"/proc/{process}").exists()
    with pytest.raises(PictureUnavailableError, match="shutting down"):
        renderer.render(chart(70.0), "svg")


_PARENT = """
import sys
from meantime.charts.rendering.picture_renderer import PictureRenderer
renderer = PictureRenderer()
renderer.start()
print(renderer.process_id, flush=True)
sys.stdin.read()
"""


def test_a_process_ends_when_its_parent_is_killed(project: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(project / "src")}
    command = [sys.executable, "-c", _PARENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        drawing = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        ended, _, _ = select.select([drawing], [], [], WAIT_LIMIT_S)
        os.close(drawing)
    assert ended
