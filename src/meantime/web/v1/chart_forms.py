"""An answer as a chart: as a Vega-Lite spec, as a picture, and as a page that stands alone and may be shown elsewhere.

Which kinds there are, and how they are drawn, is in ``charts``. Which answer it is, others know.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import orjson
from flask import Response, render_template, request

from meantime import __version__
from meantime.charts import KINDS, chart_of, kinds_for
from meantime.charts.rendering.picture_renderer import FORMS, SCALES, PictureRenderer
from meantime.fields.kinds import Choice, Number
from meantime.formats.result_formats import Format
from meantime.web.admission.callers import client_of
from meantime.web.admission.request_places import request_places
from meantime.web.own_address import own_address, own_site
from meantime.web.places import AllPlaces
from meantime.web.v1.answer_addresses import AnswerAddress
from meantime.web.v1.encoded_forms import EncodedForms
from meantime.web.v1.result_forms import StoredResult, content_type

THEMES = ("light", "dark")

CHART_FORMS: dict[str, Format] = {
    each.name: each
    for each in (
        *(Format(name, media_type) for name, media_type in FORMS.items()),
        Format("vl.json", "application/vnd.vegalite.v6+json"),
        Format("html", "text/html"),
    )
}
"""The forms of charts by their names, which are also their extensions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartQuery:
    """How an answer is to be drawn."""

    chart: Annotated[str | None, Choice(KINDS), "The kind of chart; without it the first that fits."] = None
    theme: Annotated[str, Choice(THEMES), "The colours: for light or for dark pages."] = "light"
    zoom: Annotated[float, Number(*SCALES), "How much larger a PNG or PDF is than the chart."] = 1.0


@dataclass(frozen=True, slots=True)
class ChartedResult:
    """A result that is to be drawn: of which statistic, where it is found, and its question's known breaks."""

    statistic: str
    stored: StoredResult
    live: AnswerAddress
    frozen: AnswerAddress
    breaks: Sequence[int]


class ChartForms:
    """Answers with charts.

    Parameters
    ----------
    renderer
        Draws pictures; None where nothing does.
    encoded
        Keeps what was made.
    places
        What clients can hold; each that waits for a picture holds a thread.
    embedding_sites
        The sites whose pages may show these answers; ``*`` is any.
    """

    def __init__(
        self,
        renderer: PictureRenderer | None,
        encoded: EncodedForms,
        places: AllPlaces,
        embedding_sites: Sequence[str] = (),
    ) -> None:
        self._renderer = renderer
        self._places = places
        self._encoded = encoded
        self._sites = tuple(embedding_sites)

    @property
    def offered(self) -> list[Format]:
        """The forms that can be had: pictures where something draws them."""
        return [each for each in CHART_FORMS.values() if self._renderer is not None or each.name not in FORMS]

    def respond(self, wanted: Format, result: ChartedResult, query: ChartQuery) -> Response:
        """Return an answer as a chart, or say that the client has it already.

        Raises
        ------
        InvalidParameterError
            There is no such chart of this result.
        PictureUnavailableError, PictureError
            See ``PictureRenderer.render``.
        """
        tag = f"{result.stored.sha256}-{query.chart or 'first'}-{query.theme}-{query.zoom:g}-{wanted.name}"
        response = Response(content_type=content_type(wanted))
        response.set_etag(tag)
        self._let_others_show(response, is_page=wanted.name == "html")
        if request.if_none_match.contains_weak(tag):
            response.status_code = 304
            return response
        content = self._encoded.find(tag)
        if content is None:
            content = self._encoded.keep(tag, self._made(wanted, result, query))
        request_places().hold_answer(len(content))
        response.set_data(content)
        return response

    def _made(self, wanted: Format, result: ChartedResult, query: ChartQuery) -> bytes:
        document: dict[str, object] = orjson.loads(result.stored.read())
        if wanted.name == "html":
            return self._page(document, result, query).encode()
        spec = self._spec(document, result, query.chart, query.theme)
        if wanted.name == "vl.json":
            return orjson.dumps(spec)
        return self._picture(spec, wanted.name, query.zoom)

    def _spec(
        self, document: Mapping[str, object], result: ChartedResult, kind: str | None, theme: str
    ) -> dict[str, object]:
        return chart_of(document, result.statistic, kind, theme=theme, breaks=result.breaks)

    def _picture(self, spec: Mapping[str, object], form: str, zoom: float = 1.0) -> bytes:
        if self._renderer is None:
            raise ValueError(f"{form} isn't offered: nothing draws here")
        with self._places.pictures.take(client_of(request.environ)):
            return self._renderer.render(spec, form, zoom)

    def _page(self, document: Mapping[str, object], result: ChartedResult, query: ChartQuery) -> str:
        """Return a page that needs no other file: its pictures and its style are in it."""
        kinds = kinds_for(document, result.statistic)
        pictures, alternative = {}, ""
        if kinds and self._renderer is not None:
            for theme in THEMES:
                spec = self._spec(document, result, query.chart, theme)
                alternative = str(spec.get("description", ""))
                picture = base64.b64encode(self._picture(spec, "svg")).decode()
                pictures[theme] = f"data:image/svg+xml;base64,{picture}"
        records = document["records"]
        return render_template(
            "embed.html",
            version=__version__,
            title=_title(document, result.statistic),
            document=document,
            fields=list(records[0]) if isinstance(records, list) and records else [],
            pictures=pictures,
            alternative=alternative,
            live=f"{own_site()}{result.live.url('html')}",
            frozen=f"{own_site()}{result.frozen.url('html')}",
            oembed=f"{own_address()}/oembed?{urlencode({'url': own_site() + result.live.url('html')})}",
            style=_style(),
        )

    def _let_others_show(self, response: Response, *, is_page: bool) -> None:
        """Say which sites' pages may show an answer; without a setting none but our own."""
        ancestors = " ".join(self._sites) or "'self'"
        if self._sites:
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if is_page:
            response.headers["Content-Security-Policy"] = (
                f"default-src 'none'; img-src data:; style-src 'sha256-{_style_digest()}'; base-uri 'none';"
                f" form-action 'none'; frame-ancestors {ancestors}"
            )
        elif response.content_type == FORMS["svg"]:  # opened by itself it is a document, which sets styles of its own
            response.headers["Content-Security-Policy"] = (
                "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
            )


@cache
def _style() -> str:
    """Return the style of a page that stands alone."""
    return (Path(__file__).parents[1] / "static" / "embed.css").read_text(encoding="utf-8")


@cache
def _style_digest() -> str:
    """Return by what the policy knows the style."""
    return base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()


def _title(document: Mapping[str, object], statistic: str) -> str:
    provenance = document.get("provenance")
    asked = provenance.get("request") if isinstance(provenance, Mapping) else None
    parameters = asked.get("parameters") if isinstance(asked, Mapping) else None
    question = parameters.get("question") if isinstance(parameters, Mapping) else None
    return f"{question or 'All questions'}: {statistic.replace('_', ' ')}"
