"""How often one key or address may POST, counted in memory by flask-limiter.

It works only where somebody else can reach the server. A client on the same machine without a key is its owner, whom
the bounded queue is enough for; so the usual server on loopback pays nothing for it.
"""

from __future__ import annotations

import math
import re
import time
from typing import NoReturn

from flask import Flask, request
from flask_limiter import ApplicationLimit, Limiter, RequestLimit
from werkzeug.exceptions import TooManyRequests

from meantime.settings import Settings
from meantime.web.admission.callers import client_of, is_owner
from meantime.web.admission.steady_storage import SteadyStorage

_ANSWERS = re.compile(r"/api/v1/(datasets/<dataset>/)?answers/.+|/|/(explore|places|rug)(/.*)?", re.ASCII)
"""What a GET can have computed: answers, and pages of them."""


def limit_posts(app: Flask, settings: Settings) -> None:
    """Refuse POST requests, and GETs of answers and their pages, beyond ``posts_per_minute``.

    Call it after the check of who asks has been registered.
    """
    limiter = Limiter(
        lambda: client_of(request.environ),
        application_limits=[ApplicationLimit(limit_provider=f"{settings.posts_per_minute} per minute")],
        on_breach=_refuse,
        request_identifier=_what_is_counted,
        storage_uri=f"{SteadyStorage.STORAGE_SCHEME[0]}://",
        headers_enabled=False,
    )
    limiter.init_app(app)


def _what_is_counted() -> str:
    """Return the one name that all counted requests have; empty for the others, which flask-limiter then leaves alone.

    Without it flask-limiter would name them by their view functions, and a ``partial`` has no name.
    """
    asks = request.method == "POST" or (request.url_rule is not None and _ANSWERS.fullmatch(request.url_rule.rule))
    return "POST" if asks and not is_owner(request.environ) else ""


def _refuse(limit: RequestLimit) -> NoReturn:
    wait_s = min(60, max(1, math.ceil(limit.reset_at - time.monotonic())))
    raise TooManyRequests(
        f"more than {limit.limit.amount} requests that ask for something in a minute; try again in {wait_s} s",
        retry_after=wait_s,
    )
