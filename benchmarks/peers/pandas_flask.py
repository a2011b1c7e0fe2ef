"""The usual way: Flask's development server, a queue, a pool of threads, and a pandas group-by for each job.

Results are kept in memory and nothing is durable, so the comparison is to this peer's advantage.
"""

from __future__ import annotations

import itertools
import os
import sys
from concurrent.futures import Future, ThreadPoolExecutor

import pandas as pd
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from meantime.survey import bundled_table


def create_app() -> Flask:
    """Return the app; it has read the bundled table."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it, the interface does not
    frame = pd.read_csv(bundled_table(), low_memory=False)
    pool = ThreadPoolExecutor(os.cpu_count())
    numbers = itertools.count(1)
    jobs: dict[str, Future[dict[str, float]]] = {}

    def states_mean(question: str) -> dict[str, float]:
        of_question = frame[frame["Question"] == question]
        means: dict[str, float] = of_question.groupby("LocationDesc")["Data_Value"].mean().sort_values().to_dict()
        return means

    @app.post("/api/states_mean")
    def submit() -> ResponseReturnValue:
        job_id = f"job_id_{next(numbers)}"
        jobs[job_id] = pool.submit(states_mean, request.get_json()["question"])
        return jsonify({"job_id": job_id})

    @app.get("/api/get_results/<job_id>")
    def get_response(job_id: str) -> ResponseReturnValue:
        job = jobs[job_id]
        return jsonify({"status": "done", "data": job.result()} if job.done() else {"status": "running"})

    return app


if __name__ == "__main__":
    create_app().run(port=int(sys.argv[1]))
