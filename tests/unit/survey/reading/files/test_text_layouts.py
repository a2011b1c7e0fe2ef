"""Where in a text the table lies: encodings, separators, titles above the header, notes below, line ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from meantime.errors import DataError
from tests.unit.survey.tables import ROW, csv_text, read, written

pytestmark = pytest.mark.slow

PLAIN = csv_text([ROW.replace("Alabama", "Curaçao")])
SEMICOLONS = PLAIN.replace(",", ";")
MINE = """
[columns]
question = "Indicator"
location = "State"
value = "Percent"
"""
OWN = "Year,State,Indicator,Percent\n2019,Ohio,Smoking,20.8\n2020,Utah,Smoking,7.9\n"

READ: dict[str, tuple[bytes, str]] = {
    # how a text is written: its bytes, what a mapping states
    "UTF-8 with a mark": (PLAIN.encode("utf-8-sig"), ""),
    "UTF-16 with a mark": (PLAIN.encode("utf-16"), ""),
    "big-endian UTF-16 with a mark": (("\ufeff" + PLAIN).encode("utf-16-be"), ""),
    "UTF-32 with a mark": (PLAIN.encode("utf-32"), ""),
    "UTF-16 whose kind is stated": (PLAIN.encode("utf-16-le"), '[file]\nencoding = "utf-16-le"'),
    "windows-1252, stated": (PLAIN.encode("windows-1252"), '[file]\nencoding = "windows-1252"'),
    "semicolons": (SEMICOLONS.encode(), ""),
    "tabs": (PLAIN.replace(",", "\t").encode(), ""),
    "bars": (PLAIN.replace(",", "|").encode(), ""),
    "semicolons, stated": (SEMICOLONS.encode(), '[file]\ndelimiter = ";"'),
    "a separator line": (f"sep=;\r\n{SEMICOLONS}".encode(), ""),
    "a separator line in quotes": (f'"sep=;"\n{SEMICOLONS}'.encode(), ""),
    "a separator line with a tab": (f"SEP=\t\n{PLAIN}".replace(",", "\t").encode(), ""),
    "a separator line in UTF-16": (f"sep=;\n{SEMICOLONS}".encode("utf-16"), ""),
    "a title": (f"Table 3. Obesity by state\n\n{PLAIN}".encode(), ""),
    "a title with commas": (f"Table 3, by state, 2019, percent\n{PLAIN}".encode(), ""),
    "a title in quotes over two lines": (f'"Table 3,\nby ""state"""\n{PLAIN}'.encode(), ""),
    "a title, stated": (f"Obesity\nby state\n{PLAIN}".encode(), "[file]\nskip = 2"),
    "blank lines above": (f"\n \n,,,\n{PLAIN}".encode(), ""),
    "notes below": (f"{PLAIN}\nSource: CDC\n* not reliable\n".encode(), ""),
    "notes below, stated": (f"{PLAIN}Source: CDC, BRFSS\nSee: x, y\n\n".encode(), "[file]\nfooter = 2"),
    "carriage returns alone": (PLAIN.replace("\n", "\r").encode(), ""),
    "mixed line ends": (csv_text([ROW.replace("Alabama", "Curaçao") + "\r"]).encode(), ""),
}


@pytest.mark.parametrize("kind", READ)
def test_a_text_is_read_whatever_way_it_is_written(kind: str, tmp_path: Path) -> None:
    content, mapping = READ[kind]
    cube, report = read(written(tmp_path, content), mapping)
    assert [place.name for place in cube.locations] == ["Curaçao"]
    assert (cube.cells.value_sum.tolist(), report.row_count) == ([39.2], 1)


REFUSED: dict[str, tuple[bytes, str, str]] = {
    # what is wrong: the bytes, what a mapping states, what the message says
    "windows-1252": (PLAIN.encode("windows-1252"), "", "table.csv, line 2, column 'LocationDesc': not UTF-8"),
    "windows-1252, the setting": (PLAIN.encode("windows-1252"), "", '`encoding = "windows-1252"`, under [file]'),
    "another encoding than the stated one": (PLAIN.encode(), '[file]\nencoding = "ascii"', "byte 0xC3 isn't ascii"),
    "an encoding that nobody knows": (
        PLAIN.encode(),
        '[file]\nencoding = "klingon"',
        "no encoding is called 'klingon'",
    ),
    "a codec that gives no text": (PLAIN.encode(), '[file]\nencoding = "zlib"', "no encoding is called 'zlib'"),
    "a title above names that nobody knows": (
        f"Table 3. Smoking\n\n{OWN}".encode(),
        "",
        "line 1: 'Table 3. Smoking' is no line of column names; they seem to be in line 3: state `skip = 2` under",
    ),
    "a name that isn't there, below a title": (
        f"A title\n\n{OWN}".encode(),
        '[file]\nskip = 2\n[columns]\nvalue = "Pct"',
        "table.csv, line 3: no column is called 'Pct' (value); nearest: 'Percent'",
    ),
    "more lines to skip than there are": (
        PLAIN.encode(),
        "[file]\nskip = 9",
        "has no line below the 9 that are skipped",
    ),
    "notes right below": (f"{PLAIN}Source: CDC\n".encode(), "", "state `footer = 1` under [file]"),
    "notes with commas": (f"{PLAIN}\nSource: CDC, 2019\nMore, too\n".encode(), "", "state `footer = 2` under [file]"),
    "a total below": (f"{PLAIN}Total{',' * 13}\n".encode(), "", "'Total' is no year; if the table ends above"),
    "two files pasted together": ((PLAIN + PLAIN).encode(), "", "the line repeats the column names"),
    "two files with marks pasted together": (
        2 * PLAIN.encode("utf-8-sig"),
        "",
        "line 3, column 'YearStart': holds a byte",
    ),
    "Eurostat's TSV": (b"freq,geo\\TIME_PERIOD\t2014 \t2019 \nA,PT\t16.6 \t16.9 b\n", "", "whose years are col"),
    "NUL bytes at the end": (PLAIN.encode() + bytes(512), "", "table.csv, line 3: holds a NUL byte"),
    "a NUL byte in a name": (PLAIN.replace("raç", "ra\0ç").encode(), "", "line 2, column 'LocationDesc': holds a NUL"),
    "a NUL byte in the header": (PLAIN.replace("Year", "Ye\0ar").encode(), "", "line 1, column 1: holds a NUL byte"),
    "a bell in a name": (PLAIN.replace("raç", "ra\x07ç").encode(), "", "a control character (U+0007)"),
    "a bell in an id": (PLAIN.replace("Q036", "Q\x07").encode(), "", "column 'QuestionID': holds a control character"),
    "a fault below a title": (
        f"A title\n\n{PLAIN}".replace("39.2", "x").encode(),
        "",
        "table.csv, line 4, column 'Data_Value': 'x' is no number",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_text_that_is_not_certain_is_refused_with_the_setting_that_helps(kind: str, tmp_path: Path) -> None:
    content, mapping, expected = REFUSED[kind]
    with pytest.raises(DataError) as caught:
        read(written(tmp_path, content), mapping)
    assert expected in str(caught.value)


def test_a_header_is_found_by_the_names_that_a_mapping_states(tmp_path: Path) -> None:
    cube, _ = read(written(tmp_path, f"Smoking, by state\nand year\n{OWN}"), MINE)
    assert cube.years == (2019, 2020)


def test_names_that_hold_the_other_separator_do_not_mislead(tmp_path: Path) -> None:
    text = 'Year;State;Indicator;"Value, in %";N\n2019;Ohio;x;18,2;3\n2020;Ohio;x;18,9;3\n'
    cube, _ = read(written(tmp_path, text), MINE.replace("Percent", "Value, in %"))
    assert cube.cells.value_sum.tolist() == [18.2, 18.9]


def test_columns_that_are_not_needed_may_share_a_name_and_hold_anything(tmp_path: Path) -> None:
    header, line = csv_text([ROW]).splitlines()
    content = f"x,X,{header},,\n".encode() + f"\xe9,\x01,{line},,\n".encode("latin-1")
    assert len(read(written(tmp_path, content))[0].cells) == 1


def test_lines_that_are_left_out_are_noted(tmp_path: Path) -> None:
    _, report = read(written(tmp_path, f"A title\n\n{PLAIN}\nSource: CDC\n"))
    [note] = [note for note in report.notes if note.kind == "lines_left_out"]
    assert note.text == "lines left out: 2 above the column names and 1 below the table"
