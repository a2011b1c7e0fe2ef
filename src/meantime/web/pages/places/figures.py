"""Figures and questions as readers of a page see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor, log10

from meantime.charts.answers import number

MINUS = "\u2212"
_THOUSANDS = 1000
_MOST_DECIMALS = 8


def figure(value: object, beside: float | None = None) -> str:
    r"""Return a number with as many digits as are worth reading, of ``beside`` if given; nothing for what is none.

    >>> figure(36.4321), figure(-0.0731), figure(12345.6), figure(0.002, beside=2.6), figure(None)
    ('36.4', '\u22120.073', '12,346', '0.0', '')
    """
    found = number(value)
    if found is None:
        return ""
    text = f"{found:,.{_decimals(found if beside is None else beside)}f}"
    return text.replace("-", MINUS) if text.strip("-0.") else text.removeprefix("-")


def _decimals(value: float) -> int:
    """Return how many decimals a number of this size is written with: two digits at least, none beyond thousands."""
    size = abs(value)
    if size == 0 or size >= 1:
        return 0 if size >= _THOUSANDS else 1
    decimals = min(1 - floor(log10(size)), _MOST_DECIMALS)
    return decimals - 1 if f"{size:.{decimals}f}".endswith("0") else decimals


def signed(value: object) -> str:
    r"""Return a number that is a change, with its sign.

    >>> signed(0.731), signed(-2)
    ('+0.73', '\u22122.0')
    """
    found = number(value)
    return f"+{figure(found)}" if found is not None and found > 0 else figure(found)


def interval(record: Mapping[str, object], low: str = "low", high: str = "high") -> str:
    r"""Return an interval of a record in words; nothing where it has none.

    >>> interval({"low": 31.5, "high": 32.0}), interval({"low": -1.5, "high": 2.0})
    ('31.5\u201332.0', '\u22121.5 to 2.0')
    """
    lower, upper = number(record.get(low)), number(record.get(high))
    if lower is None or upper is None:
        return ""
    larger = max(lower, upper, key=abs)
    between = "\u2013" if min(lower, upper) >= 0 else " to "
    return f"{figure(lower, larger)}{between}{figure(upper, larger)}"


def shared_words(texts: Sequence[str]) -> str:
    """Return the words that all of several texts begin with; a text is never used up.

    >>> shared_words(["Percent of adults who smoke", "Percent of adults who drink"])
    'Percent of adults who'
    """
    shared: list[str] = []
    if len(texts) > 1:
        for words in zip(*(text.split(" ")[:-1] for text in texts), strict=False):
            if len(set(words)) > 1:
                break
            shared.append(words[0])
    return " ".join(shared)


def shortened(text: str, letters: int) -> str:
    """Return a text that ends with a whole word, and with an ellipsis where something is left out.

    >>> shortened("engage in no leisure-time physical activity", 30)
    'engage in no leisure-time …'
    """
    if len(text) <= letters:
        return text
    return f"{text[: letters - 1].rpartition(' ')[0] or text[: letters - 2]} \u2026"
