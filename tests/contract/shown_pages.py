"""Pages as a browser gets them, taken apart: tags, text, tables, and the faults that no page may have."""

from __future__ import annotations

import itertools
from html.parser import HTMLParser

from flask.testing import FlaskClient

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Elements(HTMLParser):
    """Collects the start tags, the text, and the rows of the tables of a page, each a list of its cells' texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.rows: list[list[str]] = []
        self._is_in_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td") and self.rows:
            self.rows[-1].append("")
            self._is_in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("th", "td"):
            self._is_in_cell = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._is_in_cell:
            self.rows[-1][-1] = f"{self.rows[-1][-1]} {data.strip()}".strip()

    def row_of(self, first: str) -> list[str]:
        """Return the first row whose first cell is this."""
        return next(row for row in self.rows if row and row[0] == first)

    def all(self, tag: str, attribute: str) -> list[str]:
        """Return an attribute of all tags of a kind that have it."""
        return [
            attributes[attribute] or "" for name, attributes in self.tags if name == tag and attribute in attributes
        ]


def shown(client: FlaskClient, path: str) -> Elements:
    """Return the page at a path."""
    answer = client.get(path, headers={"Accept": BROWSER})
    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"]
    page = Elements(answer.text)
    found = faults(page)
    assert not found, found
    return page


def faults(page: Elements) -> list[str]:
    """Return what keeps a page from being read aloud, by keyboard, or under a strict policy."""
    found = [f"<{tag}>" for tag, _ in page.tags if tag in ("style", "iframe")]
    found += [f"{name}=" for _, given in page.tags for name in given if name == "style" or name.startswith("on")]
    found += ["a script in the page" for tag, given in page.tags if tag == "script" and not given.get("src")]
    levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3", "h4")]
    if levels[:1] != [1] or levels.count(1) != 1 or any(b > a + 1 for a, b in itertools.pairwise(levels)):
        found.append(f"headings {levels}")
    tags = [tag for tag, _ in page.tags]
    if tags.count("caption") != tags.count("table"):
        found.append("a table without a caption")
    labelled = set(page.all("label", "for"))
    found += [
        f"{tag} without a label" for tag, given in page.tags if tag == "select" and given.get("id") not in labelled
    ]
    found += ["an image without words" for tag, given in page.tags if tag == "img" and "alt" not in given]
    found += ["a heading cell without a scope" for tag, given in page.tags if tag == "th" and "scope" not in given]
    ids = page.all("h1", "id") + page.all("h2", "id")
    named = page.all("section", "aria-labelledby")
    return found + [f"nothing is called {name}" for name in named if name not in ids]
