"""The application factory: puts operations, pages, problem answers and checks together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import MapAdapter

from meantime.charts.rendering.picture_renderer import PictureRenderer
from meantime.errors import SettingsError
from meantime.formats.table_files import TableFiles
from meantime.service import MeantimeService
from meantime.settings import Settings
from meantime.web.admission.checks import admit_requests
from meantime.web.admission.request_body import StrictRequest
from meantime.web.admission.request_places import BoundedAnswers
from meantime.web.contract.contract_jobs import ContractJobs
from meantime.web.contract.probes import Probes
from meantime.web.middleware import Middleware
from meantime.web.observation.access_log import AccessLog
from meantime.web.observation.event_log import EventLog
from meantime.web.observation.metrics import ConnectionCounts, Metrics
from meantime.web.observation.request_facts import RequestTimes
from meantime.web.operations import add_routes, operations_of
from meantime.web.pages.dataset_page import DatasetPage
from meantime.web.pages.documentation import Documentation
from meantime.web.pages.explore import Explore
from meantime.web.pages.first_view import FirstView
from meantime.web.pages.health_page import HealthPage
from meantime.web.pages.index import Pages
from meantime.web.pages.jobs_list import JobsList
from meantime.web.pages.places.place_pages import PlacePages
from meantime.web.pages.places.rug_page import RugPage
from meantime.web.pages.shown_answers import ShownAnswers
from meantime.web.pages.sign_in import SignIn
from meantime.web.pages.site import pictures_available
from meantime.web.places import AllPlaces
from meantime.web.problems import handle_errors
from meantime.web.v1.answers import Answers
from meantime.web.v1.batch_resources import BatchResources
from meantime.web.v1.chart_forms import ChartForms
from meantime.web.v1.dataset_resources import DatasetResources
from meantime.web.v1.encoded_forms import EncodedForms
from meantime.web.v1.job_commands import JobCommands
from meantime.web.v1.job_events import JobEvents
from meantime.web.v1.job_resources import JobResources
from meantime.web.v1.job_results import JobResults
from meantime.web.v1.known_answers import KnownAnswers
from meantime.web.v1.oembed import OEmbed
from meantime.web.v1.result_forms import ResultForms
from meantime.web.v1.table_resources import TableResources
from meantime.web.v1.visible_jobs import VisibleJobs
from meantime.web.wrong_paths import WrongPaths

STATIC_MAX_AGE_S = 3600


class HostlessFlask(Flask):
    """Flask whose routes depend on no host: which one was asked for is looked at once, by ``admission/security.py``."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a view as it is: none is a coroutine, which Flask looks for at each call."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what finds the route of a request; Flask's own parses the host first, an eighth of an empty answer."""
        if request is None:
            return None
        return self.url_map.bind(
            "",
            request.root_path or "/",
            url_scheme=request.scheme,
            default_method=request.method,
            path_info=request.path,
            query_args=request.query_string.decode("latin-1"),
        )


class NoSessions(SessionInterface):
    """Flask's own sessions, whose content is in the cookie: none. Ours are in ``admission/sessions.py``."""

    _session = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """Return the session that nothing can be put into."""
        return self._session


def create_app(  # noqa: PLR0913  # each is a part of its own
    service: MeantimeService,
    settings: Settings,
    *,
    access_log: AccessLog | None = None,
    request_drain: Callable[[], None] | None = None,
    is_closing: Callable[[], bool] = lambda: False,
    event_log: EventLog | None = None,
    connection_counts: Callable[[], ConnectionCounts] = lambda: ConnectionCounts(0, 0, 0),
    renderer: PictureRenderer | None = None,
    resources: Sequence[object] = (),
) -> Flask:
    """Return the WSGI application in front of a service.

    Parameters
    ----------
    service
        What answers; the application neither starts nor closes it.
    settings
        ``body_limit_bytes``, ``result_wait_s``, ``http_threads`` (see AllPlaces) and what says who may come from
        where are used.
    access_log
        Where requests are noted; None for nowhere. The application neither starts nor closes it.
    request_drain
        Called when a client asks for the shutdown; without it the service alone is drained.
    is_closing
        See Middleware.
    event_log
        Where answers are noted as JSON lines; as ``access_log``.
    connection_counts
        Returns how the connections stand.
    renderer
        Draws charts as pictures; None where nothing does. The application neither starts nor closes it.
    resources
        Further objects whose methods are operations; see ``operations.py``.
    """
    app = HostlessFlask("meantime.web", static_url_path="/static")
    app.config["MAX_CONTENT_LENGTH"] = settings.body_limit_bytes
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = STATIC_MAX_AGE_S
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.request_class = StrictRequest
    app.session_interface = NoSessions()
    app.url_map.merge_slashes = False  # nothing is ever redirected, so nobody can be sent elsewhere
    app.debug = False  # whatever FLASK_DEBUG says
    sessions = admit_requests(app, settings, access_log)
    request_times = RequestTimes()
    given = (("webserver.log", access_log), ("event log", event_log))
    logs = {name: log for name, log in given if log is not None}
    places = AllPlaces.for_threads(settings.http_threads)
    contract = ContractJobs(service, settings, request_drain or service.begin_drain, places)
    jobs = VisibleJobs(service, places)
    encoded = EncodedForms(places)
    forms = ResultForms(encoded)
    charts = ChartForms(renderer, encoded, places, settings.embedding_sites)
    known = KnownAnswers(service, jobs)
    tables = TableFiles(
        settings.store_dir / "tables", kept_versions=settings.kept_versions * max(1, len(settings.data))
    )
    metrics = Metrics(
        service,
        settings,
        request_times,
        logs,
        places,
        lambda: encoded.size_bytes,
        connection_counts,
        lambda: 0 if sessions is None else sessions.count,
    )
    operations = [
        *contract.submissions(),
        *operations_of(contract, Probes(service), metrics),
        *operations_of(JobResources(service, jobs), JobEvents(jobs), JobResults(service, jobs, forms)),
        *Answers(service, jobs, known, forms, charts).operations(),
        *operations_of(OEmbed()),
        *operations_of(BatchResources(service, jobs), JobCommands(jobs)),
        *operations_of(DatasetResources(service, places), TableResources(service, tables, places), *resources),
    ]
    add_routes(app, operations)
    shown = ShownAnswers(service, known)
    pictures = renderer is not None and pictures_available()
    first_view = FirstView(
        service,
        shown,
        pictures=pictures,
        embedding_sites=settings.embedding_sites,
        warm_up=renderer.start if renderer is not None else lambda: None,
    )
    Pages(service, operations, first_view).add_to(app)
    DatasetPage(service, shown, pictures=pictures).add_to(app)
    HealthPage(service, settings).add_to(app)
    Explore(service, shown, settings.embedding_sites, has_pictures=pictures).add_to(app)
    JobsList(service, jobs).add_to(app)
    PlacePages(service, shown, pictures=pictures).add_to(app)
    RugPage(service, shown).add_to(app)
    Documentation(service, operations).add_to(app)
    _check_url_prefix(app, settings.url_prefix)
    sign_in = SignIn(sessions, app)
    sign_in.add_routes()
    handle_errors(app, WrongPaths(app, service, operations).advice, sign_in.page_for)
    observers = [request_times.note_answer] + ([event_log.note_answer] if event_log is not None else [])
    middleware = Middleware(
        BoundedAnswers(app.wsgi_app, places),
        access_log,
        is_closing=is_closing,
        observers=observers,
        url_prefix=settings.url_prefix,
    )
    app.wsgi_app = middleware  # type: ignore[method-assign]  # as Flask documents it
    return app


def _check_url_prefix(app: Flask, prefix: str) -> None:
    """Raise SettingsError where nobody could tell the prefix from the beginning of a path."""
    own = {rule.rule.split("/")[1] for rule in app.url_map.iter_rules()} - {""}
    if prefix and prefix.split("/")[1] in own:
        raise SettingsError(
            f"--url-prefix: {prefix} begins like a path of the server's own; choose another, such as /stats"
        )
