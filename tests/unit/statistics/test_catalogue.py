"""The one table: every statistic is whole, computes its own example, and a new class is all that a new one needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, dataclass, fields
from typing import Annotated, ClassVar

import jsonschema
import numpy as np
import pytest

from meantime.fields.fields import Example
from meantime.statistics.catalogue import CATALOGUE, Statistic, Surface, find_statistic, register, statistics_of
from meantime.statistics.kinds import QUESTION_NAME
from meantime.statistics.measures.mean import Mean
from meantime.statistics.requests import canonical_json, read_request
from meantime.statistics.result import COMMON_FIELDS, DIMENSION_FIELDS, Result
from meantime.statistics.statistic import StatisticData
from tests.asking import ask, records_in
from tests.bundled import bundled_cube

ROWS = list(CATALOGUE.values())
V1 = statistics_of(Surface.V1)
CONTRACT = statistics_of(Surface.CONTRACT)


def name_of(row: type[Statistic]) -> str:
    return row.name


def answer_of(row: type[Statistic]) -> dict[str, object]:
    return ask(row.name, bundled_cube(), row.example)


def test_the_catalogue_has_the_nine_of_the_contract_and_then_those_of_v1() -> None:
    assert [row.name for row in CONTRACT] == [
        "states_mean",
        "state_mean",
        "best5",
        "worst5",
        "global_mean",
        "diff_from_mean",
        "state_diff_from_mean",
        "mean_by_category",
        "state_mean_by_category",
    ]
    assert [row.name for row in V1] == [
        "mean",
        "people",
        "age_standardised_mean",
        "ranking",
        "difference",
        "pairwise",
        "compare",
        "change",
        "distribution",
        "heterogeneity",
        "trend",
        "disparity",
        "disparity_scan",
        "correlation",
        "coverage",
        "profile",
    ]
    assert CONTRACT + V1 == ROWS


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_every_field_of_a_statistic_is_a_parameter_and_a_request_never_changes(row: type[Statistic]) -> None:
    assert [each.name for each in fields(row)] == [parameter.name for parameter in row.parameters()]
    request = read_request(row, bundled_cube(), row.example)
    with pytest.raises(FrozenInstanceError):
        setattr(request, fields(row)[0].name, "other")


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_a_row_documents_itself(row: type[Statistic]) -> None:
    assert row.title
    assert row.summary.endswith(".")
    assert row.unit
    assert row.method.startswith(f"{row.name}/")
    for parameter in row.parameters():
        assert parameter.summary.endswith(".")
        assert parameter.is_required or parameter.default is not None or parameter.default_in_words
        assert parameter.example is not None


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_the_example_of_a_row_fits_its_schema_and_gives_a_json_answer(row: type[Statistic]) -> None:
    schema = row.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(dict(row.example), schema)
    arguments = json.loads(canonical_json(read_request(row, bundled_cube(), row.example)))
    assert list(arguments) == list(schema["properties"])  # type: ignore[call-overload]  # an object
    jsonschema.validate(arguments, schema)
    assert json.loads(json.dumps(answer_of(row), allow_nan=False)) == answer_of(row)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_every_parameter_example_is_accepted(row: type[Statistic]) -> None:
    for parameter in row.parameters():
        jsonschema.validate(parameter.example, parameter.json_schema())
        stated = parameter.json_schema().get("default")
        jsonschema.validate(stated, {} if parameter.is_required else parameter.json_schema())


@pytest.mark.parametrize("row", V1, ids=name_of)
def test_a_v1_answer_has_flat_records_with_the_same_fields(row: type[Statistic]) -> None:
    answer = answer_of(row)
    assert list(answer) == ["records", "unit", "method", "cautions"]
    assert answer["method"].startswith(row.method.split(":")[0])  # type: ignore[attr-defined]  # a text
    records = answer["records"]
    assert isinstance(records, list)
    assert records
    for record in records:
        assert list(record) == list(records[0])
        assert set(COMMON_FIELDS) <= set(record)
        assert all(value is None or isinstance(value, str | int | float | bool) for value in record.values())
        dimensions = [field for field in record if field in DIMENSION_FIELDS]
        assert dimensions == [field for field in DIMENSION_FIELDS if field in record]


@pytest.mark.parametrize("row", V1, ids=name_of)
def test_explain_adds_an_explanation_and_changes_nothing_else(row: type[Statistic]) -> None:
    cube = bundled_cube()
    explained = ask(row.name, cube, {**row.example, "explain": True})
    explanation = explained.pop("explanation")
    assert explained == answer_of(row)
    assert isinstance(explanation, dict)
    assert explanation["sums"]
    assert isinstance(explanation["pitfalls"], list)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_the_same_request_gives_the_same_answer_to_the_last_bit(row: type[Statistic]) -> None:
    assert json.dumps(answer_of(row)) == json.dumps(answer_of(row))


# ---- extending it ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SuppressedShare(Statistic):
    """The percentage of a question's rows without a value: a toy statistic."""

    name = "suppressed_share"
    title = "Share of suppressed rows"
    summary = "The percentage of a question's rows without a value."
    unit = "percent"
    method = "suppressed_share/1: 100 - 100 x values / rows"
    example: ClassVar = {"question": "Q036"}
    documentation = "methods/coverage.md"

    question: Annotated[str, QUESTION_NAME, "The question.", Example("Q036")]

    def compute(self, data: StatisticData) -> Result:
        cells = data.cube.cells_of(data.cube.question_index[self.question])
        rows, values = data.cube.cells.row_count[cells], data.cube.cells.value_count[cells]
        share = float(100 - 100 * np.sum(values) / np.sum(rows))
        return Result([{"question": self.question, "value": share}], self.unit, self.method)


@pytest.fixture
def toy() -> Iterator[None]:
    register(SuppressedShare)
    yield
    del CATALOGUE[SuppressedShare.name]


def test_a_new_statistic_is_one_class(toy: None) -> None:
    assert find_statistic("suppressed_share", surface=Surface.V1) is SuppressedShare
    (share,) = records_in("suppressed_share", bundled_cube(), {"question": "Q036"})
    (present,) = records_in("coverage", bundled_cube(), {"question": "Q036", "by": []})
    assert isinstance(present["value"], float)
    assert share["value"] == pytest.approx(100 - present["value"])


def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(ValueError, match="'mean' is in the catalogue already"):
        register(Mean)
    assert len(CATALOGUE) == len(ROWS)
