"""What columns are called in tables of estimates, in a handful of languages.

Words only; whether a column can hold what its name says is decided in ``column_guesses.py``.
"""

from __future__ import annotations

import re
import unicodedata

from meantime.survey.reading.columns import Role
from meantime.survey.reading.profile import normal

ROLE_WORDS: dict[Role, tuple[str, ...]] = {
    # role: names as `plain` gives them; the more telling ones, and the finer places, first
    Role.QUESTION: (
        "question", "indicator", "indicatorname", "measure", "outcome", "variable", "topic", "indicateur", "indicador",
        "indikator", "merkmal", "indicatore",
    ),
    Role.QUESTION_ID: (
        "questionid", "indicatorid", "measureid", "questioncode", "indicatorcode", "variableid", "measurecode",
    ),
    Role.UNIT: ("unit", "units", "unitofmeasure", "datavalueunit", "factvalueuom", "uom", "einheit", "unite", "unidad"),
    Role.VALUE_TYPE: ("datavaluetype", "valuetype", "estimatetype", "measuretype", "typeofestimate", "adjustment"),
    Role.YEAR: (
        "yearstart", "year", "yr", "surveyyear", "refyear", "timeperiod", "timedim", "period", "time", "date", "jahr",
        "annee", "ano", "anno", "jaar", "ar", "vuosi", "rok", "tid", "periode",
    ),
    Role.LOCATION: (
        "county", "countyname", "countydesc", "municipality", "district", "locationname", "locationdesc", "location",
        "areaname", "area", "geography", "geographyname", "geoname", "place", "jurisdiction", "state", "statename",
        "statedesc", "region", "country", "countryname", "entity", "geo", "spatialdim", "bundesland", "kreis", "land",
        "departement", "pays", "pais", "provincia", "distrito", "municipio", "comunidad", "regione", "gemeente",
        "omrade", "kommune", "alue",
    ),
    Role.ABBREVIATION: (
        "abbreviation", "abbr", "stateabbr", "stateabbreviation", "locationabbr", "postalcode", "areacode", "code",
        "countrycode", "iso3", "iso", "spatialdimvaluecode",
    ),
    Role.FIPS: ("fips", "fipscode", "statefips", "countyfips", "locationid", "geoid"),
    Role.CATEGORY: (
        "category", "stratificationcategory", "stratificationcategory1", "breakoutcategory", "grouptype", "dimension",
        "groupcategory",
    ),
    Role.STRATUM: (
        "stratum", "stratification", "stratification1", "breakout", "subgroup", "group", "demographic", "population",
    ),
    Role.LOW: (
        "low", "lower", "lowci", "lowerci", "cilow", "cilower", "lcl", "lci", "lowerlimit", "confidencelimitlow", "lo",
        "lower95ci", "lowerbound", "lb", "untere", "unteregrenze", "untergrenze", "inferieure",
        "limiteinferieure", "borneinferieure", "inferior", "limiteinferior", "inferiore", "ondergrens", "undre",
        "nedre",
    ),
    Role.HIGH: (
        "high", "upper", "highci", "upperci", "cihigh", "ciupper", "ucl", "uci", "upperlimit", "confidencelimithigh",
        "hi", "upper95ci", "upperbound", "ub", "obere", "oberegrenze", "obergrenze", "superieure",
        "limitesuperieure", "bornesuperieure", "superior", "limitesuperior", "superiore", "bovengrens", "ovre",
    ),
    Role.STANDARD_ERROR: ("standarderror", "stderr", "stderror", "se", "sterr"),
    Role.MARGIN_OF_ERROR: ("marginoferror", "moe", "margin"),
    Role.SAMPLE_SIZE: (
        "samplesize", "n", "sample", "respondents", "denominator", "unweightedn", "samplen", "size", "stichprobe",
        "fallzahl", "anzahl", "befragte", "effectif", "effectifs", "echantillon", "muestra", "tamanodelamuestra",
        "amostra", "tamanhodaamostra", "campione", "antal",
    ),
    Role.VALUE: (
        "datavalue", "value", "estimate", "prevalence", "percent", "percentage", "pct", "rate", "proportion",
        "obsvalue", "mean", "factvaluenumeric", "numericvalue", "wert", "anteil", "valeur", "taux", "valor",
        "porcentaje", "valore", "waarde", "varde", "andel", "indhold",
    ),
    Role.FOOTNOTE: ("footnote", "note", "notes", "footnotetext", "datavaluefootnote"),
    Role.FOOTNOTE_SYMBOL: ("footnotesymbol", "symbol", "flag", "obsflag", "datavaluefootnotesymbol"),
}  # fmt: skip
"""In the order in which roles choose their columns: limits before the value, whose name theirs often hold."""

STRATA_WORDS = (
    "sex", "gender", "age", "agegroup", "ageband", "race", "raceethnicity", "ethnicity", "education", "income", "grade",
    "urbanrural", "urbanicity", "residence", "disability", "insurance", "maritalstatus", "veteran", "dim1", "dim2",
    "stratum", "stratification", "stratification1", "breakout", "subgroup", "group", "demographic",
    "geschlecht", "alter", "altersgruppe", "bildung", "sexe", "tranchedage", "sexo", "edad", "grupodeedad", "sesso",
    "eta", "geslacht", "leeftijd", "kon", "alder", "kjonn", "sukupuoli", "ika",
)  # fmt: skip
"""Names of columns that hold strata; the column's own name is then the category."""

RELEASE_WORDS = (
    "release", "revision", "version", "vintage", "edition", "updated", "update", "published", "publication", "asof",
)  # fmt: skip
"""Words in names of columns that say which of several publications a row is from."""

RESPONSE_WORDS = ("response", "answer", "responseoption", "option", "antwort", "reponse", "respuesta")
"""Names of columns that hold what was answered: a part of the question."""

LIMITS_WORDS = ("ci", "confidenceinterval", "confidence", "interval", "limits", "95ci", "cl")
"""Names of columns that may hold both limits in one text."""

NATIONS = ("national", "united states", "us", "usa", "u.s.", "nation", "all states", "overall")
EVERYBODY = (
    "total", "overall", "all", "everyone", "all adults", "adults", "both", "both sexes", "both genders", "all persons",
    "persons", "people", "all ages", "all sexes", "all races", "all groups", "gesamt", "insgesamt", "ensemble",
    "ambos sexos", "totale", "totaal", "totalt", "i alt", "alle", "tous", "todos", "t", "btsx", "sex_btsx",
)  # fmt: skip
PERCENT_WORDS = ("percent", "pct", "prevalence", "%", "prozent", "anteil", "porcentaje", "pourcentage")
STATES = frozenset({"alabama", "alaska", "california", "texas", "new york", "ohio", "guam", "puerto rico"})
"""Enough names to recognise a column of US states by what it holds."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def in_time(text: str) -> tuple[bool, list[tuple[int, str]]]:
    """Return what sorts the texts of releases: final ones last, numbers by their size.

    >>> sorted(["v10", "v9"], key=in_time), sorted(["Preliminary", "Final"], key=in_time)
    (['v9', 'v10'], ['Preliminary', 'Final'])
    """
    parts = [(int(part), "") if part.isdecimal() else (0, part) for part in re.findall(r"\d+|\D+", normal(text))]
    return any(word in normal(text) for word in ("final", "revised", "definit")), parts


def plain(name: str) -> str:
    """Return a column's name without case, accents, blanks and punctuation.

    >>> plain("Année_début")
    'anneedebut'
    """
    return "".join(_letters(name.casefold()))


def partly(word: str, name: str) -> bool:
    """Whether a column's name holds a word, from the beginning of one of its own words to the end of one.

    >>> partly("low", "FactValueNumericLow"), partly("low", "Follow-up"), partly("prevalence", "Seroprevalence")
    (True, False, True)
    """
    if len(word) >= 5 and word in plain(name):
        return True
    parts = [part.casefold() for part in _WORD.findall("".join(_letters(name, blank=" ")))]
    joined = {"".join(parts[first:last]) for first in range(len(parts)) for last in range(first + 1, len(parts) + 1)}
    return word in joined


def _letters(name: str, blank: str = "") -> list[str]:
    decomposed = (mark for mark in unicodedata.normalize("NFKD", name) if not unicodedata.combining(mark))
    special = {"ø": "o", "Ø": "O", "æ": "ae", "ß": "ss", "ł": "l"}
    return [special.get(mark, mark) if mark.isalnum() else blank for mark in decomposed]
