"""The application factory: puts routes, pages, problem answers and the street door together."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface

from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.web.access_log import AccessLog
from meantime.web.admission import admit_requests
from meantime.web.event_log import EventLog
from meantime.web.metrics import Metrics, RequestTimes
from meantime.web.pages import Pages
from meantime.web.problems import handle_errors
from meantime.web.request_body import StrictRequest
from meantime.web.routes import ContractRoutes
from meantime.web.street_door import StreetDoor
from meantime.web.v1.routes import add_v1_routes

STATIC_MAX_AGE_S = 3600


class NoSessions(SessionInterface):
    """No cookie is ever read or set."""

    _session = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """Return the session that nothing can be put into."""
        return self._session


def create_app(
    service: MeantimeService,
    settings: Settings,
    *,
    access_log: AccessLog | None = None,
    request_drain: Callable[[], None] | None = None,
    is_closing: Callable[[], bool] = lambda: False,
    event_log: EventLog | None = None,
) -> Flask:
    """Return the WSGI application in front of a service.

    Parameters
    ----------
    service
        What answers; the application neither starts nor closes it.
    settings
        ``body_limit_bytes``, ``result_wait_s`` and what says who may come from where are used.
    access_log
        Where requests are noted; None for nowhere. The application neither starts nor closes it.
    request_drain
        Called when a client asks for the shutdown; without it the service alone is drained.
    is_closing
        See StreetDoor.
    event_log
        Where answers are noted as JSON lines; as ``access_log``.
    """
    app = Flask("meantime.web", static_url_path="/static")
    app.config["MAX_CONTENT_LENGTH"] = settings.body_limit_bytes
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = STATIC_MAX_AGE_S
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.request_class = StrictRequest
    app.session_interface = NoSessions()
    app.url_map.merge_slashes = False  # nothing is ever redirected, so nobody can be sent elsewhere
    app.debug = False  # whatever FLASK_DEBUG says
    handle_errors(app)
    admit_requests(app, settings, access_log)
    ContractRoutes(service, settings, request_drain or service.begin_drain).add_to(app)
    Pages(service).add_to(app)
    add_v1_routes(app, service, settings)
    request_times = RequestTimes()
    logs = {"webserver.log": access_log, "event log": event_log}
    lost_line_counts = {name: log.lost_line_count for name, log in logs.items() if log is not None}
    Metrics(service, settings, request_times, lost_line_counts).add_to(app)
    observers = [request_times.note_answer] + ([event_log.note_answer] if event_log is not None else [])
    door = StreetDoor(app.wsgi_app, access_log, is_closing=is_closing, observers=observers)
    app.wsgi_app = door  # type: ignore[method-assign]  # as Flask documents it
    return app
