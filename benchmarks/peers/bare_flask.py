"""The bare baseline: Flask on granian with the same two routes and the same JSON, and no work at all.

The answers are encoded before the first request; nothing is computed, stored or synced. The difference between this
and Meantime is what Meantime itself costs.
"""

from __future__ import annotations

import itertools
import sys

import orjson
from flask import Flask, Response, request
from granian.constants import Interfaces
from granian.server import Server

from benchmarks.table import states_means


def create_app() -> Flask:
    """Return the app; its answers are the bundled table's."""
    app = Flask(__name__)
    answers = {
        question: b'{"status":"done","data":' + orjson.dumps(means) + b"}" for question, means in states_means().items()
    }
    numbers = itertools.count(1)
    questions: dict[str, str] = {}

    @app.post("/api/states_mean")
    def submit() -> Response:
        job_id = f"job_id_{next(numbers)}"
        questions[job_id] = request.get_json()["question"]
        return Response(orjson.dumps({"job_id": job_id}), mimetype="application/json")

    @app.get("/api/get_results/<job_id>")
    def get_response(job_id: str) -> Response:
        return Response(answers[questions[job_id]], mimetype="application/json")

    return app


def main() -> None:
    """Serve on the port named by the first argument, with as many blocking threads as the second says."""
    Server(
        "benchmarks.peers.bare_flask:create_app",
        factory=True,
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface=Interfaces.WSGI,
        blocking_threads=int(sys.argv[2]),
        log_enabled=False,
        websockets=False,
    ).serve()


if __name__ == "__main__":
    main()
