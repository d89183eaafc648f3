"""docs/architecture.md says what the code is: its rooms, their order, and the files it names."""

import re
import tomllib

from tests.packaging.documents import ROOT

PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
SOURCE = ROOT / "src/metricgate"


def read_rooms() -> list[set[str]]:
    """Return the rooms of the table, row by row, from top to bottom."""
    rows = re.findall(r"^\| ((?:`[\w./]+`(?:, )?)+) \|", PAGE, re.MULTILINE)
    return [set(re.findall(r"`(\w+)(?:/|\.py)`", row)) for row in rows]


def read_layers() -> list[set[str]]:
    """Return the layers that import-linter checks, from top to bottom."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = (entry["layers"] for entry in settings["tool"]["importlinter"]["contracts"] if "layers" in entry)
    return [set(re.findall(r"\w+", layer)) - {"__main__"} for layer in layers]


def test_every_room_has_its_line() -> None:
    rooms = {path.stem for path in SOURCE.iterdir() if not path.stem.startswith(("_", "py.typed", "."))} - {"py"}

    assert set().union(*read_rooms()) == rooms


def test_rooms_stand_in_the_order_that_is_checked() -> None:
    height = {room: number for number, layer in enumerate(read_layers()) for room in layer}

    heights = [sorted(height[room] for room in row) for row in read_rooms()]

    assert heights == sorted(heights)
    assert [value for row in heights for value in row] == sorted(value for row in heights for value in row)


def test_every_file_that_the_page_names_exists() -> None:
    for name in re.findall(r"`([\w./]+(?:/|\.py))`", PAGE):
        assert (SOURCE / name).exists() or (ROOT / name).exists(), name


def test_the_page_is_one_page_with_the_picture() -> None:
    assert len(PAGE.splitlines()) <= 60
    assert "candidate snapshot" in PAGE
