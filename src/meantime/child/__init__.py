"""A process of its own for what takes memory that isn't given back, or might crash: one errand, then it ends.

An errand is a function whose arguments, and what it returns, go through JSON; whatever is large goes through a file
that an argument names. ``child_process.py`` is the parent's side and is read first, ``__main__.py`` the child's.

- The parent starts ``python -m meantime.child MODULE:FUNCTION`` and writes one line, the arguments.
- The child answers in lines: ``progress`` as often as it likes, then one of ``done`` (what the errand returned),
  ``refused`` (a DataError of the errand) or ``crashed`` (any other error, with its traceback).
- The parent leaves the child's standard input open. Its end tells the child to end, so no child outlives its parent.

What the errands do is not known here.
"""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float], None]
"""Called with a phase (``unpack``, ``read``) and the part of it that is done, from 0 to 1."""
