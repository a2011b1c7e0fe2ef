"""What every request passes before its route sees it, in this order; the ONE place that puts the checks together.

Host, URL and framing, who asks, how many of theirs are answered already, whose page it comes from, how often, the
body. Each check is defined elsewhere: ``security.py``, ``callers.py``, ``request_places.py``, ``rate_limit.py``,
``request_body.py``.
"""

from __future__ import annotations

from flask import Flask, request

from meantime.access_keys import AccessKeyFile
from meantime.settings import Settings
from meantime.web.admission.callers import CallerCheck, is_owner
from meantime.web.admission.request_body import has_body, json_object
from meantime.web.admission.request_places import request_places
from meantime.web.admission.security import (
    SAFE_METHODS,
    HostCheck,
    allow_origins,
    check_same_origin,
    check_url_and_framing,
)
from meantime.web.observation.access_log import AccessLog
from meantime.web.observation.request_facts import ROUTE_KEY


def admit_requests(app: Flask, settings: Settings, access_log: AccessLog | None) -> None:
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
    """
    keys = AccessKeyFile(settings.keys_file)
    check_host = HostCheck(settings)
    check_caller = CallerCheck(keys) if keys.exists else None
    origins = frozenset(settings.allowed_origins)

    @app.before_request
    def admit() -> None:
        environ = request.environ
        rule = request.url_rule
        parameters = request.view_args
        if rule is not None:
            environ[ROUTE_KEY] = rule.rule
        try:
            check_host(environ)
            check_url_and_framing(environ)
            if check_caller is not None:
                check_caller(environ, rule.rule if rule is not None else None)
            if not is_owner(environ):
                request_places().count_thread()
            if environ["REQUEST_METHOD"] not in SAFE_METHODS:
                check_same_origin(environ, origins)
                if rule is not None and has_body(environ):
                    parameters = json_object()
        finally:
            if access_log is not None:
                access_log.enter(
                    environ["REQUEST_METHOD"], environ["PATH_INFO"], environ.get("REMOTE_ADDR", ""), parameters
                )

    if settings.posts_per_minute and (keys.exists or not settings.is_loopback):
        from meantime.web.admission.rate_limit import limit_posts  # a tenth of a second to import

        limit_posts(app, settings)
    if origins:
        allow_origins(app, settings)
