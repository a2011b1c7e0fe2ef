"""The examples on the API's page: each command gives the answer that is printed below it, on the bundled table."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson
import pytest
from flask.testing import FlaskClient

from meantime.bootstrap import build_service
from meantime.settings import Settings
from meantime.statistics.catalogue import CATALOGUE, Surface
from meantime.survey import bundled_table
from meantime.survey.ingest.data_ingestor import DataIngestor
from meantime.web.app import create_app
from tests.conftest import PROJECT

PAGE = (PROJECT / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```console\n\$ (curl [^`]*)\n```\n\n```json\n([^`]*)\n```", PAGE)
TABLE = re.findall(r"^\| ([A-Z]\w+) \| (.*) \| (better|worse|no clear difference) \|$", PAGE, re.MULTILINE)
V1_NAMES = [statistic.name for statistic in CATALOGUE.values() if statistic.surface is Surface.V1]
STATISTICS = 9


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    """A client of a server that serves the bundled table."""
    folder = tmp_path_factory.mktemp("served")
    settings = Settings(state_dir=Path(folder), threads=1)
    service = build_service(settings, [DataIngestor(bundled_table(), name="default").ingest()])
    yield create_app(service, settings).test_client()
    service.close(30.0)


def run(client: FlaskClient, command: str) -> Mapping[str, object]:
    """Send what a curl command of the page would send, and return the decoded answer."""
    words = shlex.split(command.replace("\\\n", " "))
    headers = dict(words[i + 1].split(": ") for i, word in enumerate(words) if word == "-H")
    body = words[words.index("-d") + 1].encode()
    path = next(word for word in words if word.startswith("http")).removeprefix("http://127.0.0.1:5000")
    found = orjson.loads(client.post(path, data=body, headers=headers).data)
    assert isinstance(found, dict)
    return found


def shown(record: Mapping[str, object], names: list[str]) -> dict[str, object]:
    """Return some fields of a record, rounded as the page does."""
    values = {name: record[name] for name in names}
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in values.items()}


def test_every_statistic_has_its_example() -> None:
    headings = re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)
    assert headings == V1_NAMES
    assert len(EXAMPLES) == STATISTICS + 1


@pytest.mark.parametrize(("command", "printed"), EXAMPLES, ids=lambda text: text[-50:-2])
def test_a_command_gives_the_answer_below_it(client: FlaskClient, command: str, printed: str) -> None:
    expected = orjson.loads(printed)
    answer = run(client, command)
    if "status" in expected:
        assert answer == expected
        return
    assert answer["state"] == "done"
    result = answer["result"]
    assert isinstance(result, dict)
    assert shown(result["records"][0], list(expected)) == expected


@pytest.mark.parametrize("statistic", V1_NAMES)
def test_the_example_on_the_page_is_the_one_in_the_catalogue(statistic: str) -> None:
    section = PAGE.partition(f"\n### {statistic}\n")[2]
    body = re.search(r"-d '(.*?)'\n```", section)
    assert body is not None
    assert orjson.loads(body[1]) == {"statistic": statistic, "parameters": dict(CATALOGUE[statistic].example)}


def test_the_nation_is_what_cdc_says_and_each_state_has_its_verdict(client: FlaskClient) -> None:
    """CDC's National row of 2023: 32.8 (32.4 to 33.1)."""
    (command,) = re.findall(r"^\$ (curl [^`]*)\n```\n\nObesity", PAGE, re.MULTILINE)
    result = run(client, command)["result"]
    assert isinstance(result, dict)
    records = {record["location"]: record for record in result["records"]}
    assert {(each["reference"], each["reference_low"], each["reference_high"]) for each in records.values()} == {
        (32.8, 32.4, 33.1)
    }
    verdicts = [record["verdict"] for record in records.values() if record["value"] is not None]
    assert len(verdicts) == 49
    assert set(verdicts) == {"better", "no clear difference", "worse"}
    assert len(TABLE) == 3
    for location, numbers, verdict in TABLE:
        fields = ["value", "low", "high", "reference", "reference_low", "reference_high", "difference"]
        assert [f"{records[location][field]:.1f}" for field in fields] == numbers.split(" | ")
        assert records[location]["verdict"] == verdict
