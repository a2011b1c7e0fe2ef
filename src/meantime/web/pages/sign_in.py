"""``/sign-in`` trades an access key for a session, and ``/sign-out`` ends it. Sessions: ``admission/sessions.py``.

A browser that asks for a page without a key is shown the form in the page's place, and has the page after signing in.
The key comes in a form's body, is looked up, and goes nowhere: not into a cookie, a log, a URL or an answer.
"""

from __future__ import annotations

import logging
import math
import re
import time
from urllib.parse import unquote

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, Unauthorized

from meantime.web.admission.callers import ADMIN_ROUTES, BEARER, SESSION_ROUTES, network_of
from meantime.web.admission.request_body import DEFAULT_LIMIT_BYTES, read_form
from meantime.web.admission.sessions import COOKIE_NAME, Sessions, session_ids
from meantime.web.own_address import is_encrypted, own_prefix
from meantime.web.pages.site import here, page, wants_page

TRIES_PER_MINUTE = 30
"""How often one address may try, with a right or a wrong key."""

WINDOW_S = 60

_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]{0,4000}", re.ASCII)
"""A path of some server's own, with its query; no backslash, which browsers take for a slash."""

_log = logging.getLogger(__name__)


class SignIn:
    """The form, and what it is sent to.

    Parameters
    ----------
    sessions
        The sessions, and the keys; None where no keys are in use.
    app
        Whose pages there are.
    """

    def __init__(self, sessions: Sessions | None, app: Flask) -> None:
        self._sessions = sessions
        self._app = app
        if sessions is not None:
            from meantime.web.admission.steady_storage import SteadyStorage  # takes a while to import

            self._tries = SteadyStorage(f"{SteadyStorage.STORAGE_SCHEME[0]}://")

    def add_routes(self) -> None:
        """Register the views."""
        self._app.add_url_rule("/sign-in", "sign_in", self.show_form, methods=["GET"])
        self._app.add_url_rule("/sign-in", "begin_session", self.begin_session, methods=["POST"])
        self._app.add_url_rule("/sign-out", "end_session", self.end_session, methods=["POST"])

    def page_for(self, error: Exception) -> Response | None:
        """Return the form in the place of a page that takes a key; None for whatever else, and for programs."""
        if self._sessions is None or not isinstance(error, Unauthorized) or not wants_page():
            return None
        if request.method not in ("GET", "HEAD"):
            return None
        ended = "Your session has ended: sign in again." if session_ids(request.environ) else ""
        return self._form(self._own_path(here()), ended, 401, error)

    def show_form(self) -> Response:
        """Show the form; ``next`` in the query is the path of the page that is wanted afterwards."""
        return self._form(self._own_path(request.args.get("next", "")))

    def begin_session(self) -> Response:
        """Begin a session, if the key is one that is known, and go on to the page that was wanted."""
        if self._sessions is None:
            return self.show_form()
        wait_s = self._count_try()
        if wait_s:
            response = self._form(self._own_path(""), f"Too many tries. Try again in {wait_s} seconds.", 429)
            response.headers["Retry-After"] = str(wait_s)
            return response
        form = read_form(request.environ, limit_bytes=request.max_content_length or DEFAULT_LIMIT_BYTES)
        wanted = self._own_path(form.get("next", ""))
        key = self._sessions.keys.find(form.get("key", "").strip())
        if key is None:
            _log.warning("a wrong key was given to sign in, from %s", request.remote_addr)
            return self._form(wanted, "The server knows no such key.", 401)
        self._end_sessions(self._sessions)
        response = _redirect(wanted)
        response.set_cookie(
            COOKIE_NAME,
            self._sessions.begin(key),
            path=_cookie_path(),
            secure=_is_secure(),
            httponly=True,
            samesite="Strict",
        )
        _log.info("key %s has signed in, from %s", key.name, request.remote_addr)
        return response

    def end_session(self) -> Response:
        """End the session, if there is one, and show the form."""
        if self._sessions is not None:
            self._end_sessions(self._sessions)
        response = _redirect(f"{own_prefix()}/sign-in")
        response.delete_cookie(COOKIE_NAME, path=_cookie_path(), secure=_is_secure(), httponly=True, samesite="Strict")
        return response

    def _end_sessions(self, sessions: Sessions) -> None:
        for session_id in session_ids(request.environ):
            sessions.end(session_id)

    def _count_try(self) -> int:
        """Count one try of the current address; return how long it has to wait, seconds, or 0."""
        client = network_of(request.remote_addr or "")
        if self._tries.incr(client, WINDOW_S) <= TRIES_PER_MINUTE:
            return 0
        return min(WINDOW_S, max(1, math.ceil(self._tries.get_expiry(client) - time.monotonic())))

    def _form(self, wanted: str, message: str = "", status: int = 200, error: HTTPException | None = None) -> Response:
        is_from_elsewhere = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
        response = page(
            "sign_in.html",
            wanted=wanted,
            message=message,
            takes_keys=self._sessions is not None,
            is_from_elsewhere=error is not None and is_from_elsewhere,
        )
        response.status_code = status
        if status == Unauthorized.code:
            response.headers["WWW-Authenticate"] = BEARER.to_header()
        return response

    def _own_path(self, text: str) -> str:
        """Return a path, with its query, if it is that of something to look at here; else the front page's.

        What ends or changes something isn't, though a GET may do it: whoever made up the path is not who signs in.
        """
        front = f"{own_prefix()}/"
        path = unquote(text.partition("?")[0].partition("#")[0])
        if _PATH.fullmatch(text) is None or not path.startswith(front) or {".", ".."} & set(path.split("/")):
            return front
        try:
            rule, _ = self._app.url_map.bind("").match(path.removeprefix(own_prefix()), method="GET", return_rule=True)
        except HTTPException:
            return front
        return front if rule.rule in ADMIN_ROUTES | SESSION_ROUTES else text


def _redirect(path: str) -> Response:
    """Go on to a path of our own, by GET."""
    return Response(status=303, headers={"Location": path})


def _cookie_path() -> str:
    return own_prefix() or "/"


def _is_secure() -> bool:
    """Whether the browser came over https: its page's origin says so, or the proxy."""
    return is_encrypted() or request.headers.get("Origin", "").startswith("https://")
