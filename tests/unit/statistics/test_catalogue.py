"""The one table: every row is whole, computes its own example, and a new row is all that a new statistic needs."""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Iterator

import jsonschema
import numpy as np
import pytest

from meantime.statistics.catalogue import (
    CATALOGUE,
    Statistic,
    Surface,
    check_parameters,
    compute,
    find_statistic,
    register,
)
from meantime.statistics.parameters import Parameter, ParameterKind
from meantime.statistics.result import COMMON_FIELDS, DIMENSION_FIELDS
from meantime.survey.cube.survey_cube import SurveyCube
from tests.bundled import bundled_cube

ROWS = list(CATALOGUE.values())
V1 = [row for row in ROWS if row.surface is Surface.V1]
CONTRACT = [row for row in ROWS if row.surface is Surface.CONTRACT]


def name_of(row: Statistic) -> str:
    return row.name


def answer_of(row: Statistic) -> dict[str, object]:
    cube = bundled_cube()
    answer = compute(row, cube, check_parameters(row, cube, row.example))
    assert isinstance(answer, dict)
    return answer


def test_the_catalogue_has_the_nine_of_the_contract_and_then_the_nine_of_v1() -> None:
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
        "ranking",
        "difference",
        "compare",
        "distribution",
        "trend",
        "disparity",
        "correlation",
        "coverage",
    ]
    assert CONTRACT + V1 == ROWS


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_a_function_takes_exactly_the_parameters_of_its_row(row: Statistic) -> None:
    taken: list[str] = []
    for name, parameter in inspect.signature(row.function).parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            hints = typing.get_type_hints(row.function)
            (filters,) = typing.get_args(hints[name])
            taken += typing.get_type_hints(filters)
        else:
            taken.append(name)
    extra = {"cube"} | ({"estimates"} if row.uses_estimates else set())
    assert sorted(taken) == sorted(extra | {parameter.name for parameter in row.parameters})


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_a_row_documents_itself(row: Statistic) -> None:
    assert row.title
    assert row.summary.endswith(".")
    assert row.unit
    assert row.method.startswith(f"{row.name}/")
    for parameter in row.parameters:
        assert parameter.summary.endswith(".")
        assert parameter.required or parameter.default is not None or parameter.default_summary
        assert parameter.example is not None


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_the_example_of_a_row_fits_its_schema_and_gives_a_json_answer(row: Statistic) -> None:
    schema = row.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(dict(row.example), schema)
    arguments = check_parameters(row, bundled_cube(), row.example)
    jsonschema.validate(arguments, schema)
    assert check_parameters(row, bundled_cube(), json.loads(json.dumps(arguments))) == arguments
    assert json.loads(json.dumps(answer_of(row), allow_nan=False)) == answer_of(row)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_every_parameter_example_is_accepted(row: Statistic) -> None:
    for parameter in row.parameters:
        jsonschema.validate(parameter.example, parameter.json_schema())
        jsonschema.validate(parameter.default, parameter.json_schema() if not parameter.required else {})


@pytest.mark.parametrize("row", V1, ids=name_of)
def test_a_v1_answer_has_flat_records_with_the_same_fields(row: Statistic) -> None:
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
def test_explain_adds_an_explanation_and_changes_nothing_else(row: Statistic) -> None:
    cube = bundled_cube()
    explained = compute(row, cube, check_parameters(row, cube, {**row.example, "explain": True}))
    assert isinstance(explained, dict)
    explanation = explained.pop("explanation")
    assert explained == answer_of(row)
    assert explanation["sums"]
    assert isinstance(explanation["pitfalls"], list)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_the_same_request_gives_the_same_answer_to_the_last_bit(row: Statistic) -> None:
    assert json.dumps(answer_of(row)) == json.dumps(answer_of(row))


# ---- extending it ---------------------------------------------------------------------------------------------------


def suppressed_share(cube: SurveyCube, *, question: str) -> dict[str, float]:
    """Return the percentage of a question's rows without a value: a toy statistic."""
    cells = cube.cells_of(cube.question_index[question])
    rows, values = cube.cells.row_count[cells], cube.cells.value_count[cells]
    return {"suppressed_share": float(100 - 100 * np.sum(values) / np.sum(rows))}


TOY = Statistic(
    name="suppressed_share",
    title="Share of suppressed rows",
    summary="The percentage of a question's rows without a value.",
    surface=Surface.V1,
    parameters=(
        Parameter(name="question", kind=ParameterKind.QUESTION, summary="The question.", required=True, example="Q036"),
    ),
    unit="percent",
    method="suppressed_share/1: 100 - 100 x values / rows",
    function=suppressed_share,
    example={"question": "Q036"},
    documentation="methods/coverage.md",
)


@pytest.fixture
def toy() -> Iterator[Statistic]:
    register(TOY)
    yield TOY
    del CATALOGUE[TOY.name]


def test_a_new_statistic_is_one_function_and_one_row(toy: Statistic) -> None:
    statistic = find_statistic("suppressed_share", surface=Surface.V1)
    assert statistic is toy
    cube = bundled_cube()
    share = compute(statistic, cube, check_parameters(statistic, cube, {"question": "Q036"}))
    coverage = find_statistic("coverage")
    present = compute(coverage, cube, check_parameters(coverage, cube, {"question": "Q036", "by": []}))
    assert isinstance(share, dict)
    assert isinstance(present, dict)
    assert share["suppressed_share"] == pytest.approx(100 - present["records"][0]["value"])


def test_a_name_that_is_taken_is_refused() -> None:
    with pytest.raises(ValueError, match="'mean' is in the catalogue already"):
        register(CATALOGUE["mean"])
    assert len(CATALOGUE) == 18


def test_two_parameters_of_one_name_are_refused() -> None:
    double = Statistic(
        name="double",
        title="Double",
        summary="A row with a mistake.",
        surface=Surface.V1,
        parameters=TOY.parameters * 2,
        unit="percent",
        method="double/1",
        function=suppressed_share,
        example={},
        documentation="methods/coverage.md",
    )
    with pytest.raises(ValueError, match="two parameters have the same name"):
        register(double)
    assert "double" not in CATALOGUE
