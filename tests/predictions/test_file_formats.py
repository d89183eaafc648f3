import gzip
from pathlib import Path

import pytest

from metricgate.errors import PredictionsError
from metricgate.predictions import read_predictions
from metricgate.predictions.prediction_table import open_connection
from metricgate.settings.policy import PredictionsSpec
from tests.predictions.conftest import write_parquet

SPEC = PredictionsSpec(path="p", label="y", score="p")
CSV = "y,p\n1,0.5\n0,0.25\n"
JSON_LINES = '{"y":1,"p":0.5}\n{"y":0,"p":0.25}\n'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv", CSV.encode()),
        ("semicolons.csv", CSV.replace(",", ";").encode()),
        ("tabs.tsv", CSV.replace(",", "\t").encode()),
        ("byte order mark.csv", b"\xef\xbb\xbf" + CSV.encode()),
        ("windows.csv", CSV.replace("\n", "\r\n").encode()),
        ("old mac.csv", CSV.replace("\n", "\r").encode()),
        ("trailing lines.csv", CSV.encode() + b"\n\n"),
        ("packed.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
        ("lines.jsonl", JSON_LINES.encode()),
        ("packed.jsonl.gz", gzip.compress(JSON_LINES.encode(), mtime=0)),
        ("list.json", b'[{"y":1,"p":0.5},{"y":0,"p":0.25}]'),
        ("lying suffix.csv", JSON_LINES.encode()),
        ("it's [*?] odd.csv", CSV.encode()),
    ],
)
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    found = read_predictions(path, SPEC).sample

    assert found.label is not None
    assert found.scores is not None
    assert found.label.tolist() == [1, 0]
    assert found.scores.tolist() == [0.5, 0.25]


@pytest.mark.parametrize(("name", "other"), [("a*.csv", "ab.csv"), ("x[1].csv", "x1.csv"), ("q?.csv", "q1.csv")])
def test_a_path_is_one_file_and_no_pattern(tmp_path: Path, name: str, other: str) -> None:
    (tmp_path / name).write_text(CSV, encoding="utf-8")
    (tmp_path / other).write_text("y,p\n1,0.125\n", encoding="utf-8")

    found = read_predictions(tmp_path / name, SPEC).sample

    assert found.scores is not None
    assert found.scores.tolist() == [0.5, 0.25]


def test_parquet_gives_the_same_rows_whatever_its_types(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    write_parquet(path, "(true, 0.5::FLOAT), (false, 0.25)", "y, p")

    found = read_predictions(path, SPEC).sample

    assert found.label is not None
    assert found.scores is not None
    assert found.label.tolist() == [1, 0]
    assert found.scores.tolist() == [0.5, 0.25]
    assert found.classes == ("False", "True")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "a.csv is empty"),
        ("a.csv", b"y,p\n", "a.csv has no rows"),
        ("a.csv", b"\ny,p\n1,1\n", "a.csv starts with an empty line"),
        ("a.csv", b'y,"p\n1,1\n', "a.csv has no readable header: unexpected end of data"),
        ("a.csv", b"y,p,Y\n1,1,1\n", "more than one column 'y'"),
        ("a.csv", b"y,p\n1,0.5\n0,0.5,7\n", "cannot be read: line 3 has 3 values, and the header names 2 columns"),
        ("a.csv", b"y,p\n1,0.5\n0\n", "cannot be read: line 3 has 1 value, and the header names 2 columns"),
        ("a.csv", b'y,p\n1,"0.5\n0,0.5\n', "cannot be read: line 2 opens a quote that is never closed"),
        ("a.csv", b"y,p,n\n1,0.5,\xe9\n", "cannot be read: line 2 is not text in UTF-8"),
        ("a.pkl", b"\x80\x04\x95\n", "a.pkl is not text in UTF-8"),
        ("a.parquet", b"PAR1 and no more", "a.parquet cannot be read"),
        ("a.jsonl", b'{"y":1,"p":0.5}\n{"y":0,"p":\n', "a.jsonl cannot be read: Malformed JSON .* line 3"),
        ("a.csv", b"version https://git-lfs.github.com/spec/v1\noid x\n", "is a Git LFS pointer"),
    ],
)
def test_a_broken_file_is_refused_with_the_place(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(PredictionsError, match=message) as caught:
        read_predictions(path, SPEC, shown=name)
    assert str(tmp_path) not in f"{caught.value} {caught.value.details}"


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(PredictionsError, match="x is a folder"):
        read_predictions(tmp_path, SPEC, shown="x")
    with pytest.raises(PredictionsError, match=r"x\.csv does not exist"):
        read_predictions(tmp_path / "x.csv", SPEC, shown="x.csv")


def test_the_database_downloads_nothing_and_prints_nothing() -> None:
    switched_off = ("autoinstall_known_extensions", "autoload_known_extensions", "enable_progress_bar")

    with open_connection() as connection:
        found = [connection.execute("SELECT current_setting(?)", [name]).fetchone() for name in switched_off]

    assert found == [(False,)] * 3
