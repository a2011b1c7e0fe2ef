"""Which modules of ours something passes through: traced while it is done."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import CodeType, FrameType

import meantime

SOURCE = Path(meantime.__file__).parent
_NO_CALLS = ("<module>", "<lambda>", "<listcomp>", "<genexpr>", "<dictcomp>", "<setcomp>")


class Walk:
    """The modules in which a function was called, as paths below ``src/meantime``, in the order of the first calls."""

    def __init__(self) -> None:
        self.modules: dict[str, None] = {}  # setting a key is atomic
        self._known: dict[CodeType, str | None] = {}

    def see(self, frame: FrameType, event: str, _: object) -> None:
        """Note where a function is called."""
        if event == "call":
            code = frame.f_code
            if code not in self._known:
                self._known[code] = _module_of(code)
            module = self._known[code]
            if module is not None:
                self.modules.setdefault(module)


def _module_of(code: CodeType) -> str | None:
    path = Path(code.co_filename)
    is_ours = path.is_relative_to(SOURCE) and path.name != "__init__.py" and code.co_name not in _NO_CALLS
    is_call = bool(code.co_flags & CO_OPTIMIZED)  # the body of a class is none: it's run where its module is imported
    return str(path.relative_to(SOURCE)) if is_ours and is_call else None


@contextmanager
def traced() -> Iterator[Walk]:
    """Trace this thread, and for their lives all threads that are started meanwhile."""
    walk = Walk()
    before = sys.getprofile()
    threading.setprofile(walk.see)
    sys.setprofile(walk.see)
    try:
        yield walk
    finally:
        sys.setprofile(before)
        threading.setprofile(None)
