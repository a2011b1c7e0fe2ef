"""What a supervisor asks: whether the process answers, and whether a new job would be accepted."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

import orjson
from flask import Response

from meantime.service import MeantimeService
from meantime.web.operations import Reply, operation
from meantime.web.responses import RETRY_AFTER_S, WireResponse


class Health(TypedDict):
    """Always the same: an answer at all is the answer."""

    status: Literal["ok"]


class Ready(TypedDict):
    """A new job would be accepted."""

    status: Literal["ready"]


class NotReady(TypedDict):
    """A new job would not be accepted, or not be looked after, and why."""

    status: Literal["draining", "unavailable"]
    threads: NotRequired[Annotated[list[str], "The server's threads that have ended, and are about to be replaced."]]


class Probes:
    """The views of the probes."""

    def __init__(self, service: MeantimeService) -> None:
        self._service = service

    @operation("GET", "/healthz", tag="server", replies={200: Reply("It does.", Health)})
    def get_health(self) -> Response:
        """Whether the process answers."""
        return WireResponse(b'{"status":"ok"}')

    @operation(
        "GET",
        "/readyz",
        tag="server",
        replies={200: Reply("It would.", Ready), 503: Reply("It would not.", NotReady, headers=("Retry-After",))},
    )
    def get_readiness(self) -> Response:
        """Whether a new job would be accepted, and every thread is there that the server needs."""
        if self._service.is_ready:
            return WireResponse(b'{"status":"ready"}')
        answer: NotReady = {"status": "draining" if self._service.is_draining else "unavailable"}
        if missing := self._service.supervisor.missing():
            answer["threads"] = missing
        return WireResponse(orjson.dumps(answer), 503, [("Retry-After", RETRY_AFTER_S)])
