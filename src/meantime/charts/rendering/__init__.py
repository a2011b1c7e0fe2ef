"""Charts as pictures: a spec in, the bytes of an SVG, PNG or PDF out, drawn in a process of its own.

The engine (vl-convert, the extra ``[charts]``) holds the interpreter's lock while it draws, takes half a second to
start and 150 to 250 MB; so there is one process, which lives on. ``picture_renderer.py`` is read first: the cache, the
line of those who wait, what happens when the process dies or hangs. ``drawing_process.py`` is the parent's handle on
it, ``drawing.py`` the process itself.
"""

from __future__ import annotations
