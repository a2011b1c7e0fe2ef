"""What to ask instead: for a path that takes another method, and for one that is nearly right.

Nothing is redirected and no other spelling is taken, since proxies close paths by their exact names.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import orjson
from flask import Flask, request
from werkzeug.exceptions import MethodNotAllowed, NotFound

from meantime.fields.refusals import nearest
from meantime.service import MeantimeService
from meantime.web.operations import Operation
from meantime.web.own_address import below_prefix, own_address, own_prefix
from meantime.web.pages.endpoints import example_body

_LONGEST = 100
"""What is longer is nobody's slip, and comparing it would take long."""

_LIKENESS = 0.75
_NOT_ASKED_FOR = frozenset({"HEAD", "OPTIONS"})


class WrongPaths:
    """Knows the routes of one application.

    Parameters
    ----------
    app
        Has the routes.
    service
        Knows the dataset, for examples.
    operations
        What can be done.
    """

    def __init__(self, app: Flask, service: MeantimeService, operations: Sequence[Operation]) -> None:
        self._app = app
        self._service = service
        self._asks = {(each.method, each.rule): each.asks for each in operations}

    def advice(self, error: Exception) -> str | None:
        """Return what to tell the client of the current request; None when nothing better is known."""
        path = request.path
        if len(path) > _LONGEST or not path.isprintable():
            return None
        if isinstance(error, MethodNotAllowed):
            return self._other_method(path)
        if isinstance(error, NotFound) and request.url_rule is None:
            return self._other_path(path)
        return None

    def _methods(self, path: str) -> list[str]:
        allowed = self._app.url_map.bind("").allowed_methods(path)
        return sorted(set(allowed) - _NOT_ASKED_FOR, key=["GET", "POST", "DELETE"].index)

    def _other_method(self, path: str) -> str | None:
        methods = self._methods(path)
        if not methods:
            return None
        told = f"{request.method} is not for {own_prefix()}{path}; it takes {' or '.join(methods)}, such as: "
        url = shlex.quote(f"{own_address()}{path}")
        if methods[0] != "POST":
            return f"{told}curl {url}"
        rule, _ = self._app.url_map.bind("").match(path, method="POST", return_rule=True)
        body = example_body(self._asks.get(("POST", rule.rule)), self._service.dataset().cube)
        if body is None:
            return f"{told}curl -X POST {url}"
        return f"{told}curl {url} -H 'Content-Type: application/json' -d {shlex.quote(orjson.dumps(body).decode())}"

    def _other_path(self, path: str) -> str | None:
        bare = path.rstrip("/")
        if bare != path and bare and self._methods(bare):
            return f"nothing is here; it is there without the slash at its end: {own_prefix()}{bare}"
        rules = [rule.rule for rule in self._app.url_map.iter_rules() if "<" not in rule.rule]
        near = nearest(bare or path, rules, likeness=_LIKENESS)
        if not near:
            return None
        meant = " or ".join(own_prefix() + each for each in near)
        return below_prefix(f"nothing is here; did you mean {meant}? GET / says what there is", own_prefix())
