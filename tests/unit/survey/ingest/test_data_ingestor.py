"""DataIngestor: the cache, the child process and files that change while they are read."""

from __future__ import annotations

import gzip
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from meantime.errors import DataChangedError, DataError
from meantime.survey.ingest.data_ingestor import DataIngestor
from tests.unit.survey.equal_cubes import assert_equal_cubes
from tests.unit.survey.tables import ROW, csv_text, written

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[4]
WAIT_LIMIT_S = 20.0


def packed(value: str = "39.2", rows: int = 30_000) -> bytes:
    """Return a gzipped table that is large enough for progress to be told while it is unpacked."""
    return gzip.compress(csv_text([ROW.replace("39.2", value)] * rows).encode(), compresslevel=1)


def child_of(process_id: int) -> int:
    """Return the id of the child of a process; a process is a child of the thread that started it."""
    tasks = Path(f"/proc/{process_id}/task").iterdir()
    [child] = " ".join((task / "children").read_text() for task in tasks).split()
    return int(child)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return written(tmp_path, packed(), "table.csv.gz")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cubes"


def test_importing_the_ingestor_imports_neither_an_engine_nor_numpy() -> None:
    listed = "import sys, meantime.survey.ingest.data_ingestor; print(*sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "src")}
    modules = subprocess.run(
        [sys.executable, "-c", listed], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "meantime.survey.ingest.data_ingestor" in modules
    assert not {"duckdb", "narwhals", "numpy", "flask", "pandas"} & set(modules)


def test_a_cached_cube_is_read_without_a_child_and_is_the_same(source: Path, cache: Path) -> None:
    told: list[str] = []
    first = DataIngestor(source, cache_directory=cache).ingest(lambda phase, _: told.append(phase))
    assert "unpack" in told
    told.clear()
    second = DataIngestor(source, cache_directory=cache).ingest(lambda phase, _: told.append(phase))
    assert told == []
    assert_equal_cubes(second.cube, first.cube, rtol=0)
    assert second.report == first.report
    assert second.provenance == first.provenance


def test_a_damaged_cube_is_built_again(source: Path, cache: Path) -> None:
    first = DataIngestor(source, cache_directory=cache).ingest()
    [file] = cache.glob("*.cube")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    second = DataIngestor(source, cache_directory=cache).ingest()
    assert_equal_cubes(second.cube, first.cube, rtol=0)
    assert file.read_bytes() != content


def test_the_version_is_that_of_bytes_and_mapping_not_of_the_folder(source: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    moved = written(tmp_path / "folder", source.read_bytes(), source.name)
    changed = written(tmp_path, packed("39.3"), "changed.csv.gz")
    mapping = written(tmp_path, '[names]\nnation = ["Alabama"]\n', "mapping.toml")
    version = DataIngestor(source).ingest().version
    assert DataIngestor(moved, name="other").ingest().version == version
    assert DataIngestor(changed).ingest().version != version
    assert DataIngestor(source, mapping=mapping).ingest().version != version


def test_nothing_is_left_in_the_cache_but_the_cube_and_its_note(source: Path, cache: Path) -> None:
    dataset = DataIngestor(source, cache_directory=cache).ingest()
    assert {path.name for path in cache.iterdir()} == {
        f"{dataset.cube.version}.cube",
        f"{dataset.version}.dataset.json",
    }
    assert {path.stat().st_mode & 0o777 for path in cache.glob("*.cube")} == {0o600}


def test_the_child_s_one_line_error_reaches_the_caller(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^table\.csv, line 2, column 'Data_Value': 'x' is no number; state `missing"):
        DataIngestor(written(tmp_path, csv_text([ROW.replace("39.2", "x")]))).ingest()


def test_a_killed_child_is_a_clear_error(source: Path) -> None:
    def kill(phase: str, part: float) -> None:
        os.kill(child_of(os.getpid()), signal.SIGKILL)

    with pytest.raises(DataError, match=r"table\.csv\.gz: the child process was ended by SIGKILL"):
        DataIngestor(source).ingest(kill)


def test_a_cancelled_ingest_ends_with_an_error(source: Path) -> None:
    ingestor = DataIngestor(source)
    ingestor.cancel()
    with pytest.raises(DataError, match="cancelled before it was done"):
        ingestor.ingest()


def test_an_ingest_that_is_cancelled_while_it_runs_ends_with_an_error(source: Path) -> None:
    ingestor = DataIngestor(source)
    with pytest.raises(DataError, match="cancelled before it was done"):
        ingestor.ingest(lambda _, __: ingestor.cancel())


def test_the_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    # It would unpack 64 GB: many copies of a member that holds 16 MB of nothing.
    bomb = written(tmp_path, gzip.compress(bytes(16 * 1024**2)) * 4096, "bomb.csv.gz")
    program = (
        "import os, pathlib, sys\n"
        "from meantime.survey.ingest.data_ingestor import DataIngestor\n"
        "from tests.unit.survey.ingest.test_data_ingestor import child_of\n"
        "told = []\n"
        "def tell(phase, part):\n"
        "    if not told: told.append(print(child_of(os.getpid()), flush=True))\n"
        f"DataIngestor(pathlib.Path({str(bomb)!r}), size_limit_bytes=2**40).ingest(tell)\n"
    )
    environment = os.environ | {"PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT}"}
    with subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    try:
        ended, _, _ = select.select([child], [], [], WAIT_LIMIT_S)
        assert ended, "the child goes on without its parent"
    finally:
        os.close(child)


def test_a_file_that_is_replaced_while_it_is_read_is_read_as_it_was(source: Path, tmp_path: Path) -> None:
    replacement = written(tmp_path, packed("10.0"), "new.csv.gz")
    before = DataIngestor(source).ingest()

    def replace(phase: str, part: float) -> None:
        if replacement.exists():
            replacement.replace(source)

    found = DataIngestor(source).ingest(replace)
    assert not replacement.exists()
    assert found.version == before.version
    assert found.provenance.source_sha256 == before.provenance.source_sha256
    assert_equal_cubes(found.cube, before.cube, rtol=0)


def test_a_file_that_is_rewritten_while_it_is_read_is_read_again(source: Path) -> None:
    replacement = [packed("10.0")]

    def rewrite(phase: str, part: float) -> None:
        if replacement:
            source.write_bytes(replacement.pop())

    found = DataIngestor(source).ingest(rewrite)
    assert found.version == DataIngestor(source).ingest().version
    assert found.cube.cells.value_max.tolist() == [10.0]


def test_a_file_that_changes_whenever_it_is_read_is_refused(source: Path) -> None:
    contents = [packed(f"{i}.0") for i in range(2)]

    def rewrite(phase: str, part: float) -> None:
        contents.reverse()
        source.write_bytes(contents[0])

    with pytest.raises(DataChangedError, match=r"table\.csv\.gz: the file"):
        DataIngestor(source).ingest(rewrite)


def test_an_ingest_is_started_once(source: Path) -> None:
    ingestor = DataIngestor(source)
    with pytest.raises(RuntimeError, match="has not been started"):
        ingestor.result()
    ingestor.ingest()
    with pytest.raises(RuntimeError, match="has been started"):
        ingestor.start()
    assert ingestor.result() is ingestor.result()


def test_a_cache_that_can_not_be_made_is_a_clear_error(source: Path, tmp_path: Path) -> None:
    written(tmp_path, "", "occupied")
    with pytest.raises(DataError, match="occupied: the directory for cubes can't be made"):
        DataIngestor(source, cache_directory=tmp_path / "occupied").ingest()


def test_a_provenance_file_of_other_bytes_is_refused(source: Path) -> None:
    written(source.parent, '{"title": "Mine", "table_sha256": "00"}', "table.provenance.json")
    with pytest.raises(DataError, match=r"describes other bytes than those of table\.csv\.gz"):
        DataIngestor(source).ingest()


@pytest.mark.parametrize("content", ['{"title": "\\ud800"}', '{"\\udfff": "Mine"}', "[" * 60_000, "1" * 6000])
def test_a_provenance_file_that_no_answer_could_show_is_refused(source: Path, content: str) -> None:
    written(source.parent, content, "table.provenance.json")
    with pytest.raises(DataError, match=r"table\.provenance\.json: the provenance file can't be read: "):
        DataIngestor(source).ingest()


def test_a_pipe_in_the_place_of_the_provenance_file_keeps_nobody_waiting(source: Path) -> None:
    os.mkfifo(source.parent / "table.provenance.json")
    with pytest.raises(DataError, match=r"table\.provenance\.json: the provenance file can't be read: "):
        DataIngestor(source).ingest()


def test_a_table_whose_name_is_no_utf_8_has_a_name_that_answers_can_show(source: Path) -> None:
    odd = source.rename(source.parent / os.fsdecode(b"a\xf1o.csv.gz"))
    assert DataIngestor(odd).ingest().provenance.source_name == r"a\udcf1o.csv.gz"


def test_a_mapping_says_where_a_table_comes_from(source: Path, tmp_path: Path) -> None:
    mapping = written(tmp_path, '[source]\npublisher = "Us"\ntitle = "Ours"\n', "mapping.toml")
    provenance = DataIngestor(source, mapping=mapping).ingest().provenance
    assert (provenance.publisher, provenance.title, provenance.dataset_id) == ("Us", "Ours", "")
