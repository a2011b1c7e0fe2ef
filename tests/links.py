"""Following every link of a server's pages and documents, as a stranger would who knows its front door alone."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

ACCEPTED = ("text/html", "application/json")
MOST_PAGES = 1000
MOST_QUERIES = 3
"""Of how many queries of one path the answers are looked at: a form has thousands."""

_PATH = re.compile(r"/[^\s{}]*")
_IN_COMMAND = re.compile(r"https?://[^\s\"'`<]+")


def is_left_alone(path: str) -> bool:
    """Whether asking for a path does something, takes long to draw, or can't be answered from a small table."""
    return path.partition("?")[0].endswith(("/graceful_shutdown", "/answers/disparity_scan", ".svg", ".png", ".pdf"))


@dataclass(frozen=True, slots=True)
class Page:
    """One answer; its headers' names are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str


def page_of(status: int, headers: Iterable[tuple[str, str]], content: bytes) -> Page:
    """Return an answer as it came."""
    named = {name.lower(): value for name, value in headers}
    return Page(status, named, content.decode("utf-8", "replace"))


Get = Callable[[str, str], Page]
"""Takes a path with its query, and what is accepted."""


@dataclass(frozen=True, slots=True)
class Crawl:
    """What a crawl saw: each address with its status, and all that is said to be one, whatever its method."""

    statuses: Mapping[str, int]
    named: frozenset[str]


def crawl(get: Get, start: str, *, host: str, left_alone: Callable[[str], bool]) -> Crawl:
    """Follow every link from a path.

    Parameters
    ----------
    get
        Asks the server.
    start
        The first path.
    host
        The server's name and port: addresses of others are not followed.
    left_alone
        Whether a path is not to be asked for, because asking does something.
    """
    statuses: dict[str, int] = {}
    named: set[str] = {start}
    waiting = [start]
    queries = Counter[str]()
    while waiting:
        path = waiting.pop()
        for accept in ACCEPTED:
            page = get(path, accept)
            statuses[path] = page.status
            for method, link in _links(page):
                address = urlsplit(urljoin(f"http://{host}{path}", link))
                found = address.path + (f"?{address.query}" if address.query else "")
                if address.netloc == host and found not in named:
                    named.add(found)
                    queries[address.path] += method == "GET"
                    is_one_more = method == "GET" and queries[address.path] <= MOST_QUERIES
                    waiting += [found] if is_one_more and not left_alone(found) else []
        assert len(statuses) < MOST_PAGES
    return Crawl(statuses, frozenset(named))


def _links(page: Page) -> Iterator[tuple[str, str]]:
    """Yield the method and the address of each link of an answer."""
    for name in ("location", "content-location"):
        if name in page.headers:
            yield "GET", page.headers[name]
    yield from (("GET", link) for link in re.findall(r"<([^>]*)>", page.headers.get("link", "")))
    media_type = page.headers["content-type"].partition(";")[0]
    if media_type == "text/html":
        yield from _Elements(page.text).links
        yield from (("ANY", link) for link in _IN_COMMAND.findall(page.text))
    elif media_type.endswith("json"):
        document = json.loads(page.text)
        if isinstance(document, dict) and "openapi" in document and "paths" in document:
            yield from _described(document)
        else:
            yield from _in_json(document)
    elif media_type == "text/javascript":
        yield from (("ANY", link) for link in re.findall(r"^ *url: \"(/[^\"]*)\"", page.text, re.MULTILINE))
    elif media_type == "text/css":
        yield from (("GET", link) for link in re.findall(r"url\((?!data:)[\"']?([^)\"']+)", page.text))


class _Elements(HTMLParser):
    """Collects what the elements of a page refer to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [("GET", value or "") for name, value in attrs if name in ("href", "src")]


def _in_json(value: object, method: str = "GET") -> Iterator[tuple[str, str]]:
    """Yield whatever in a document is an address: a text that is a path, or one within a command."""
    if isinstance(value, dict):
        method = str(value.get("method", method)) if "path" in value else method
        for name, member in value.items():
            yield from _in_json(name, "ANY")
            yield from _in_json(member, method)
    elif isinstance(value, list):
        for member in value:
            yield from _in_json(member, method)
    elif isinstance(value, str):
        if _PATH.fullmatch(value):
            yield method, value
        yield from (("ANY", link) for link in _IN_COMMAND.findall(value))


def _described(document: Mapping[str, dict[str, dict[str, object]]]) -> Iterator[tuple[str, str]]:
    """Yield the operations of an OpenAPI document that have no part that varies and need no query."""
    [server] = document["servers"]
    base = str(server["url"]).rstrip("/")  # type: ignore[index]  # an object
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            parameters: list[dict[str, object]] = operation["parameters"]  # type: ignore[index]  # an object
            if "{" not in path and not any(each["in"] == "query" and each.get("required") for each in parameters):
                yield method.upper(), base + path
