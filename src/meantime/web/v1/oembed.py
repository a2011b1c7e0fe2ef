"""oEmbed: what another site puts into its page when somebody pastes the address of an answer there."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Annotated, TypedDict
from urllib.parse import SplitResult, urlsplit

from flask import Response, request
from werkzeug.exceptions import NotFound

from meantime.fields.kinds import Choice, Text, WholeNumber
from meantime.web.operations import Reply, operation
from meantime.web.own_address import own_address, own_prefix
from meantime.web.responses import json_response
from meantime.web.v1.request_fields import read_query

WIDTH, HEIGHT = 800, 640
_ENDS = (".html", ".svg", ".png", ".pdf", ".json", ".csv", ".vl.json", ".parquet", ".jsonstat")


class Embed(TypedDict):
    """What an answer is shown in elsewhere."""

    version: str
    type: str
    title: str
    provider_name: str
    provider_url: str
    html: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedQuery:
    """What is to be shown elsewhere."""

    url: Annotated[str, Text("the address of an answer here", maximum=4096), "The address of an answer."]
    maxwidth: Annotated[int, WholeNumber(1, 10_000), "The greatest width, in pixels."] = WIDTH
    maxheight: Annotated[int, WholeNumber(1, 10_000), "The greatest height, in pixels."] = HEIGHT
    format: Annotated[str, Choice(("json",)), "The form of this answer."] = "json"


class OEmbed:
    """The view of embeds."""

    @operation(
        "GET",
        "/oembed",
        tag="answers",
        replies={200: Reply("How to show it.", Embed)},
        problems=(404, 414, 422),
        query=EmbedQuery,
    )
    def show_embed(self) -> Response:
        """Say how the address of an answer is shown on another site's page (oEmbed)."""
        query = read_query(request.args, EmbedQuery)
        address = urlsplit(query.url)
        answers = _answer_path(address)
        if answers is None:
            raise NotFound(f"no answer of this server; give an address below {own_address()}/api/v1/answers/")
        framed = f"{own_address()}{answers}.html" + (f"?{address.query}" if address.query else "")
        width, height = min(query.maxwidth, WIDTH), min(query.maxheight, HEIGHT)
        title = f"{answers.rpartition('/')[2].replace('_', ' ')}, by Meantime"
        embed: Embed = {
            "version": "1.0",
            "type": "rich",
            "title": title,
            "provider_name": "Meantime",
            "provider_url": f"{own_address()}/",
            "html": f'<iframe src="{escape(framed)}" width="{width}" height="{height}" title="{escape(title)}"'
            ' loading="lazy" style="border:0"></iframe>',
            "width": width,
            "height": height,
        }
        return json_response(embed)


def _answer_path(address: SplitResult) -> str | None:
    """Return the path of an answer of this server, without prefix and extension; None for any other address."""
    own = urlsplit(own_address())
    path = address.path.removeprefix(own_prefix())
    for end in sorted(_ENDS, key=len, reverse=True):
        path = path.removesuffix(end)
    parts = path.split("/")
    is_answer = parts[:4] == ["", "api", "v1", "answers"] and len(parts) == 5
    is_of_dataset = parts[:4] == ["", "api", "v1", "datasets"] and parts[5:6] == ["answers"] and len(parts) == 7
    return (
        path if (address.scheme, address.netloc) == (own.scheme, own.netloc) and (is_answer or is_of_dataset) else None
    )
