"""The process that draws: reads orders from its standard input, a socket, and answers each with a picture.

It's run as a file, so that it starts without the rest of Meantime; it may import nothing of it. An order is a line of
JSON (``form``, ``scale``, ``size``) and the spec; an answer a line (``size`` and ``memory_bytes``, or ``refused`` or
``failed``, a text each) and the picture. It ends when its parent does, since the socket then ends.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import socket
from collections.abc import Callable
from pathlib import Path

VEGA_LITE = "6.4"
"""The version of Vega-Lite; the one that browsers load is of the same minor."""

PIXEL_LIMIT = 40_000_000
"""The pixels of the largest PNG: 160 MB while it is drawn."""

_SIZE = re.compile(r'<svg[^>]*? width="([\d.]+)" height="([\d.]+)"')


class RefusedOrderError(Exception):
    """An order that is too much."""


def main() -> None:
    """Draw until the parent ends."""
    os.nice(10)  # whoever asks for figures comes first
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's; the parent decides when this process ends
    with socket.socket(fileno=os.dup(0)) as parent, parent.makefile("rwb") as stream:
        os.dup2(2, 1)  # what a library prints is no part of an answer
        _draw(b'{"mark": "point"}', "svg", 1.0)  # starts the engine before the first order comes
        for line in stream:
            order = json.loads(line)
            _answer(stream.write, stream.read(order["size"]), order["form"], order["scale"])
            stream.flush()
    os._exit(0)


def _answer(write: Callable[[bytes], int], spec: bytes, form: str, scale: float) -> None:
    try:
        picture = _draw(spec, form, scale)
    except RefusedOrderError as error:
        write(_line({"refused": str(error)}))
    except Exception as error:  # noqa: BLE001  # the parent turns whatever it is into one error
        write(_line({"failed": str(error)}))
    else:
        write(_line({"size": len(picture), "memory_bytes": _memory_bytes()}) + picture)


def _memory_bytes() -> int:
    """Return the most that this process has held; ``ru_maxrss`` would count what its parent held when it was made."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    except OSError:
        found = None
    kilobytes = int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes * 1024


def _line(answer: dict[str, object]) -> bytes:
    return json.dumps(answer).encode() + b"\n"


def _draw(spec: bytes, form: str, scale: float) -> bytes:
    import vl_convert

    # A spec holds its data; nothing is fetched from anywhere.
    svg = vl_convert.vegalite_to_svg(spec.decode(), vl_version=VEGA_LITE, allowed_base_urls=[])
    if form == "svg":
        return str(svg).encode()
    if form == "pdf":
        return bytes(vl_convert.svg_to_pdf(svg, scale=scale))
    size = _SIZE.search(svg)
    pixels = float(size[1]) * float(size[2]) * scale**2 if size else 0.0
    if pixels > PIXEL_LIMIT:
        raise RefusedOrderError(
            f"the picture would have {pixels / 1e6:.0f} million pixels, and {PIXEL_LIMIT / 1e6:.0f} million is the"
            " most; ask for a smaller scale, or for SVG"
        )
    return bytes(vl_convert.svg_to_png(svg, scale=scale))


if __name__ == "__main__":
    main()
