"""The words that the main process and the worker exchange, all but one over their pipe; how long the last may take.

What they do about them is theirs.
"""

from __future__ import annotations

import contextlib
import logging
import signal
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection

DRAIN = b"drain"
"""To the worker: refuse new jobs, finish the accepted ones, end."""

RELOAD = b"reload"
"""To the worker: read every dataset again."""

DRAINING = signal.SIGUSR1
"""To the main process, which has no thread to listen: I drain; see to it that I end."""

ENDED = b"ended"
"""To the main process: I have ended as I was asked to."""

FAILED = b"failed "
"""To the main process: I couldn't start; the reason follows."""

_LONGEST_WORD_BYTES = 16

END_LIMIT_S = 12.0
"""How long a drained worker takes at most to end, whatever its clients and its threads do."""

_log = logging.getLogger(__name__)


def obey(pipe: Connection, commands: Mapping[bytes, Callable[[], None]]) -> None:
    """Do what comes over a pipe until its other end is closed; what a command raises is logged."""
    while True:
        try:
            word = pipe.recv_bytes(_LONGEST_WORD_BYTES)  # a longer one is none: the two are out of step
        except (EOFError, OSError):
            return
        try:
            commands[word]()
        except BaseException:  # noqa: BLE001  # who stops listening would hear neither the drain nor the other's end
            _log.exception("what the main process asked for failed: %s", word.decode("utf-8", "replace"))


def last_words(pipe: Connection) -> bytes:
    """Return the last message in a pipe whose other end is closed."""
    words = b""
    with contextlib.suppress(EOFError, OSError):
        while True:
            words = pipe.recv_bytes()
    return words
