"""What every request passes before its route sees it, in this order; the ONE place that puts the checks together.

Host, URL and framing, who asks, how many of theirs are answered already, whose page it comes from, how often, the
body. Each check is defined elsewhere: ``security.py``, ``callers.py``, ``request_places.py``, ``rate_limit.py``,
``request_body.py``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from flask import Flask, request

from meantime.access_keys import AccessKeyFile
from meantime.settings import Settings
from meantime.web.admission.callers import ADMIN_ROUTES, SESSION_ROUTES, CallerCheck, has_session, is_owner
from meantime.web.admission.request_body import has_body, json_object
from meantime.web.admission.request_places import request_places
from meantime.web.admission.security import (
    SAFE_METHODS,
    HostCheck,
    allow_origins,
    check_own_page,
    check_same_origin,
    check_url_and_framing,
)
from meantime.web.admission.sessions import Sessions
from meantime.web.observation.access_log import AccessLog
from meantime.web.observation.request_facts import ROUTE_KEY

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def admit_requests(app: Flask, settings: Settings, access_log: AccessLog | None) -> Sessions | None:
    """Register the checks on an application.

    Whether access keys are in use is decided here, once: by the file of keys being there.

    Parameters
    ----------
    app
        Where to register them.
    settings
        Who may come from where.
    access_log
        Where each request's entry is noted; None for nowhere.

    Returns
    -------
    Sessions | None
        The sessions of browsers; None where no access keys are in use.
    """
    keys = AccessKeyFile(settings.keys_file)
    check_host = HostCheck(settings)
    sessions = Sessions(keys) if keys.exists else None
    check_caller = None if sessions is None else CallerCheck(sessions, public_read=settings.public_read)
    origins = frozenset(settings.allowed_origins)

    @app.before_request
    def admit() -> None:
        environ = request.environ
        route = request.url_rule.rule if request.url_rule is not None else None
        parameters = request.view_args
        if route is not None:
            environ[ROUTE_KEY] = route
        try:
            check_host(environ)
            check_url_and_framing(environ)
            if check_caller is not None:
                check_caller(environ, route)
            if not is_owner(environ):
                request_places().count_thread()
            _check_page(environ, route, origins)
            if route is not None and environ["REQUEST_METHOD"] not in SAFE_METHODS and has_body(environ):
                parameters = parameters if route in SESSION_ROUTES else json_object()
        finally:
            if access_log is not None:
                access_log.enter(
                    environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("REMOTE_ADDR", ""), parameters
                )

    if settings.posts_per_minute and (sessions is not None or not settings.is_loopback):
        from meantime.web.admission.rate_limit import limit_posts  # a tenth of a second to import

        limit_posts(app, settings)
    if origins:
        allow_origins(app, settings)
    return sessions


def _check_page(environ: WSGIEnvironment, route: str | None, origins: Collection[str]) -> None:
    """Raise Forbidden where the page of another site may not ask for what changes something."""
    is_unsafe = environ["REQUEST_METHOD"] not in SAFE_METHODS
    if (is_unsafe and route in SESSION_ROUTES) or (has_session(environ) and (is_unsafe or route in ADMIN_ROUTES)):
        check_own_page(environ)
    elif is_unsafe:
        check_same_origin(environ, route, origins)
