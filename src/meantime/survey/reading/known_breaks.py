"""Years from which the estimates of known questions can't be compared with earlier ones, each with its source.

A break stands here only if the publisher's own documents show it. A jump that they don't explain, as in muscle
strengthening (Q046) in 2019 and 2023, whose question kept its words, is for the statistics to find.
"""

from __future__ import annotations

from meantime.survey.questions import Break

METHOD_2011 = Break(
    2011,
    "BRFSS added mobile telephones to its samples and changed its weighting to raking",
    "https://www.cdc.gov/mmwr/preview/mmwrhtml/mm6122a3.htm",
)
"""MMWR 61(22), 2012. Of all questions of the survey."""

PRODUCE_2017 = Break(
    2017,
    "BRFSS redesigned its questions on fruit and vegetables, which differ from those of 2011 to 2015",
    "https://www.cdc.gov/nutrition/data-statistics/data-users-guide.html",
)
"""Data User's Guide to the BRFSS Fruit and Vegetable Module."""

ACTIVITIES_2023 = Break(
    2023,
    "BRFSS codes the activities that people name by a list of 11 (EXRACT12, EXRACT22) in place of one of about 75"
    " (EXRACT11, EXRACT21), and minutes and intensity rest on it",
    "https://www.cdc.gov/brfss/annual_data/annual_2023.html",
)
"""The codebooks of 2013 and 2023; in 2021 these questions weren't asked."""
