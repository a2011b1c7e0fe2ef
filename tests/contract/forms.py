"""A page's form as a browser would send it: what is typed, chosen and ticked."""

from __future__ import annotations

from html.parser import HTMLParser


class SentForm(HTMLParser):
    """``pairs`` are what the first form of a page sends; ``names`` are those of all its fields, empty ones too."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.disabled: list[tuple[str, str]] = []
        self._pairs: list[tuple[str, str]] = []
        self._select = ""
        self._options: list[tuple[str, bool]] = []
        self._area = ""
        self._is_inside = False
        self.feed(page)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """What is sent."""
        return self._pairs

    @property
    def filled(self) -> list[tuple[str, str]]:
        """What is sent and not empty."""
        return [(name, value) for name, value in self._pairs if value]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._is_inside = self._is_inside or tag == "form"
        name = given.get("name", "")
        if not self._is_inside or tag == "button":
            return
        if tag in ("input", "select", "textarea"):
            self.names.add(name)
        if tag == "select":
            self._select, self._options = name, []
        elif tag == "option":
            self._options.append((given.get("value", ""), "selected" in given))
            if "disabled" in given:
                self.disabled.append((self._select, given.get("value", "")))
        elif tag == "textarea":
            self._area = name
            self._pairs.append((name, ""))
        elif tag == "input" and "disabled" in given:
            self.disabled.append((name, given.get("value", "")))
        elif tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self._pairs.append((name, given.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self._area:
            self._pairs[-1] = (self._area, self._pairs[-1][1] + data)

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = self._is_inside and tag != "form"
        self._area = "" if tag == "textarea" else self._area
        if tag == "select" and self._select:
            chosen = [value for value, is_selected in self._options if is_selected]
            self._pairs.append((self._select, (chosen or [self._options[0][0]])[-1]))
            self._select = ""
