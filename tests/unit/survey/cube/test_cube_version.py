"""What names a cube: a table's bytes and how they are read."""

from __future__ import annotations

from meantime.survey.cube.cube_version import cube_version
from meantime.survey.reading.files.packing import SourceKind
from meantime.survey.reading.mapping import parse_mapping
from meantime.survey.reading.profile import Profile


def test_the_version_depends_on_everything_that_changes_how_a_table_is_read() -> None:
    plain = Profile()
    mappings = (
        '[names]\nnation = ["USA"]',
        '[names]\nmissing = ["NA"]',
        '[strata]\nAge = ["young", "old"]',
        '[directions]\nQ1 = "lower_is_better"',
        '[[breaks]]\nyear = 2017\nbecause = "x"\nsource = "y"',
        '[fixed]\ncategory = "Group"',
        '[columns]\nvalue = "pct"',
        '[file]\ndelimiter = ";"',
    )
    versions = {cube_version("00", SourceKind.CSV, parse_mapping(text, "m").profile) for text in mappings}
    versions |= {cube_version("00", kind, plain) for kind in (SourceKind.CSV, SourceKind.PARQUET)}
    versions |= {cube_version("01", SourceKind.CSV, plain)}
    assert len(versions) == len(mappings) + 3
    titled = parse_mapping('[source]\ntitle = "Ours"', "m").profile
    assert cube_version("00", SourceKind.CSV, titled) in versions, "a title changes no figure"
