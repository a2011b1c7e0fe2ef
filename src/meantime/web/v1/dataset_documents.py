"""What can be asked about, as the v1 surface shows it: datasets, statistics, questions, locations, categories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypedDict

import numpy as np

from meantime import __version__
from meantime.statistics.catalogue import Statistic, Surface, statistics_of
from meantime.survey.cube.survey_cube import SurveyCube
from meantime.survey.datasets.drift import CellChanges, Change, ColumnChange, DriftReport
from meantime.survey.ingest.dataset import Dataset
from meantime.survey.ingest.provenance import Provenance
from meantime.survey.questions import Break, Direction, Location
from meantime.web.json_schema import Count

DATASETS_PATH = "/api/v1/datasets"


class DatasetDocument(TypedDict):
    """A dataset: where it comes from and what reading it found."""

    name: str
    version: str
    provenance: Provenance
    report: dict[str, object]
    software: str
    links: dict[str, str]


class DatasetSummary(TypedDict):
    """A dataset in the list of all."""

    name: str
    version: str
    title: str
    links: dict[str, str]


class DatasetList(TypedDict):
    """The datasets that are served."""

    datasets: list[DatasetSummary]


class StatisticExample(TypedDict):
    """A request that works on the bundled table."""

    statistic: str
    parameters: Mapping[str, object]


class StatisticDocument(TypedDict):
    """A statistic that can be asked for."""

    name: str
    title: str
    summary: str
    unit: str
    method: str
    parameters: Annotated[Mapping[str, object], "JSON Schema of the parameters."]
    example: StatisticExample


class StatisticList(TypedDict):
    """What can be computed."""

    statistics: list[StatisticDocument]


class QuestionDocument(TypedDict):
    """A question, the years in which it was asked, and those from which on it can't be compared with earlier ones."""

    id: str
    text: str
    direction: Direction | None
    undirected_because: str | None
    unit: str
    years: list[int]
    breaks: tuple[Break, ...]


class QuestionList(TypedDict):
    """The questions, by text."""

    questions: list[QuestionDocument]


class LocationList(TypedDict):
    """The locations, by name."""

    locations: tuple[Location, ...]


class StratumDocument(TypedDict):
    """A stratum, and its place on the category's scale."""

    stratum: str
    order: int | None
    is_overall: bool


class CategoryDocument(TypedDict):
    """A category and its strata, those of a scale from its low end to its high end."""

    category: str
    strata: list[StratumDocument]


class CategoryList(TypedDict):
    """The categories, by name."""

    categories: list[CategoryDocument]


class DriftReportDocument(TypedDict):
    """What a reload changed. Counts are rows of the source or cells of the cube."""

    dataset: str
    version_before: str
    version_after: str
    row_count_before: Count
    row_count_after: Count
    columns: tuple[ColumnChange, ...]
    questions: Change
    locations: Change
    years: Change
    strata: Change
    cells: CellChanges
    warnings: tuple[str, ...]
    is_same: bool
    summary: str


def v1_statistics() -> list[type[Statistic]]:
    """Return the statistics of this surface, in the order of the catalogue."""
    return statistics_of(Surface.V1)


def example_of(statistic: type[Statistic]) -> StatisticExample:
    """Return a request for a statistic that works on the bundled table."""
    return {"statistic": statistic.name, "parameters": dict(statistic.example)}


def describe_statistic(statistic: type[Statistic]) -> StatisticDocument:
    """Return a statistic as it is sent."""
    return {
        "name": statistic.name,
        "title": statistic.title,
        "summary": statistic.summary,
        "unit": statistic.unit,
        "method": statistic.method,
        "parameters": statistic.json_schema(),
        "example": example_of(statistic),
    }


def describe_dataset(dataset: Dataset, prefix: str) -> DatasetDocument:
    """Return a dataset as it is sent; its links are below a prefix."""
    report = dataset.report.to_json()
    for name in ("duration_s", "engine"):  # of this process's own reading, not of the data
        del report[name]
    path = f"{prefix}{DATASETS_PATH}/{dataset.name}"
    return {
        "name": dataset.name,
        "version": dataset.version,
        "provenance": dataset.provenance,
        "report": report,
        "software": f"Meantime {__version__}",
        "links": {"self": path}
        | {name: f"{path}/{name}" for name in ("statistics", "questions", "locations", "categories", "jobs")}
        | {"table": f"{path}/table.parquet"},
    }


def summarize_dataset(dataset: Dataset, prefix: str) -> DatasetSummary:
    """Return a dataset as the list of all shows it; its link is below a prefix."""
    source = dataset.provenance
    return {
        "name": dataset.name,
        "version": dataset.version,
        "title": source.title or source.source_name,
        "links": {"self": f"{prefix}{DATASETS_PATH}/{dataset.name}"},
    }


def questions_of(cube: SurveyCube) -> list[QuestionDocument]:
    """Return the questions of a cube, by text."""
    return [
        {
            "id": question.question_id,
            "text": question.text,
            "direction": question.direction,
            "undirected_because": question.undirected_because or None,
            "unit": question.unit,
            "years": np.unique(cube.cells.year[cube.cells_of(index)]).tolist(),
            "breaks": question.breaks,
        }
        for index, question in enumerate(cube.questions)
    ]


def categories_of(cube: SurveyCube) -> list[CategoryDocument]:
    """Return the categories of a cube by name, each with its strata: those on its scale first, then by name."""
    strata: dict[str, list[StratumDocument]] = {}
    named = [segment for segment in cube.segments if not segment.is_blank]
    for segment in sorted(named, key=lambda each: (each.order is None, each.order or 0, each.stratum)):
        strata.setdefault(segment.category, []).append(
            {"stratum": segment.stratum, "order": segment.order, "is_overall": segment.is_overall}
        )
    return [{"category": category, "strata": strata[category]} for category in sorted(strata)]


def describe_drift(report: DriftReport) -> DriftReportDocument:
    """Return what a reload changed as it is sent."""
    return {
        "dataset": report.dataset,
        "version_before": report.version_before,
        "version_after": report.version_after,
        "row_count_before": report.row_count_before,
        "row_count_after": report.row_count_after,
        "columns": report.columns,
        "questions": report.questions,
        "locations": report.locations,
        "years": report.years,
        "strata": report.strata,
        "cells": report.cells,
        "warnings": report.warnings,
        "is_same": report.is_same,
        "summary": report.summary,
    }
