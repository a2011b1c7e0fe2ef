"""Every kind of chart, drawn in Chromium by the vendored files, under a policy without eval and inline styles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import orjson
import pytest

from meantime.charts import chart_of
from meantime.charts.us_places import ATLAS
from tests.browser.test_pages import pytestmark as in_chromium
from tests.browser.test_pages import show
from tests.unit.charts.documents import ASKED, asked
from tests.unit.charts.specs import svg_of

pytestmark = in_chromium

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"
PAGE = b"""<!doctype html><html lang="en"><title>Charts</title><body>
<script src="vega.min.js"></script><script src="vega-lite.min.js"></script><script src="vega-embed.min.js"></script>
<script src="draw.js"></script></body></html>"""
SCRIPT = b"""
const options = {ast: true, actions: false, renderer: "svg", defaultStyle: false, tooltip: {disableDefaultStyle: true}};
(async () => {
  for (const [name, spec] of Object.entries(await (await fetch("specs.json")).json())) {
    const place = document.body.appendChild(document.createElement("section"));
    const said = document.body.appendChild(document.createElement("p"));
    try {
      await vegaEmbed(place, spec, options);
      said.textContent = `${name}: ${place.querySelectorAll("path, text").length} marks, ` +
        `${[...place.querySelectorAll("[fill^=url]")].length} hatched`;
      place.remove();
    } catch (error) {
      said.textContent = `${name}: failed: ${error}`;
    }
  }
  document.title = "all drawn";
})();
"""


class _Site(BaseHTTPRequestHandler):
    """The page, its scripts and the vendored files; notes what it hasn't."""

    files: ClassVar[dict[str, bytes]] = {}
    missed: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        name = self.path.lstrip("/") or "index.html"
        content = self.files.get(name)
        if content is None:
            self.missed.append(name)
        kinds = {"html": "text/html", "js": "text/javascript", "json": "application/json"}
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Type", kinds.get(name.rpartition(".")[2], "text/plain"))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Say nothing."""


def all_specs() -> dict[str, Mapping[str, object]]:
    found: dict[str, Mapping[str, object]] = {}
    for name in ASKED:
        statistic, document = asked(name)
        found[name] = chart_of(document, statistic, name.partition(" ")[0], shapes_url=f"/{ATLAS.name}")
    return found


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    """The page with every chart on it, as Chromium has built it, and what its console said."""
    vendored = {path.name: path.read_bytes() for path in ATLAS.parent.iterdir()}
    _Site.files = {**vendored, "index.html": PAGE, "draw.js": SCRIPT, "specs.json": orjson.dumps(all_specs())}
    with ThreadingHTTPServer(("127.0.0.1", 0), _Site) as site, ThreadPoolExecutor(1) as pool:
        pool.submit(site.serve_forever)
        try:
            yield show(f"http://127.0.0.1:{site.server_port}/", tmp_path_factory.mktemp("profile"))
        finally:
            site.shutdown()


def test_every_kind_is_drawn_by_the_vendored_files_without_a_word_on_the_console(shown: tuple[str, list[str]]) -> None:
    page, console = shown
    said = dict(re.findall(r"<p>([^:<]+): (.+?)</p>", page))
    assert "<title>all drawn</title>" in page
    assert set(said) == set(ASKED)
    assert [text for text in said.values() if not re.fullmatch(r"\d+ marks, \d+ hatched", text)] == []
    assert console == []
    assert set(_Site.missed) <= {"favicon.ico"}


@pytest.mark.parametrize("name", ["map", "heat", "rug"])
def test_a_browser_hatches_what_a_picture_hatches(shown: tuple[str, list[str]], name: str) -> None:
    statistic, document = asked(name)
    hatched = re.search(rf"<p>{name}: \d+ marks, (\d+) hatched</p>", shown[0])
    assert hatched is not None
    assert int(hatched[1]) == svg_of(chart_of(document, statistic, name)).count("url(#") > 0
