"""How people write numbers and years.

``number_forms.py`` and ``year_forms.py`` say what a text means, in Python and for an engine alike; ``number_texts.py``
asks an engine for what a table's number columns hold, and ``unread_texts.py`` words what is left.
Texts that the engine reads by itself never come here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from meantime.survey.reading.forms.number_forms import NumberForm
from meantime.survey.reading.forms.year_forms import YearForm


@dataclass(frozen=True, slots=True)
class WrittenForms:
    """How a table's numbers and years are written; ``year_example`` is a year that is more than a number."""

    number: NumberForm = field(default_factory=NumberForm)
    year: YearForm = field(default_factory=YearForm)
    year_example: str = ""
