"""How one table is written, its numbers and its years. What either means is in the modules of each."""

from __future__ import annotations

from dataclasses import dataclass, field

from meantime.survey.reading.columns import Role
from meantime.survey.reading.forms.number_forms import NumberForm
from meantime.survey.reading.forms.year_forms import YearForm


@dataclass(frozen=True, slots=True)
class WrittenForms:
    """How a table's numbers and years are written; ``year_example`` is a year that is more than a number."""

    number: NumberForm = field(default_factory=NumberForm)
    year: YearForm = field(default_factory=YearForm)
    year_example: str = ""

    def number_of(self, role: Role) -> NumberForm:
        """How the numbers of a role are written."""
        return self.number.of_margins if role is Role.MARGIN_OF_ERROR else self.number
