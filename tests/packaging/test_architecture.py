"""docs/architecture.md matches the code: its rooms, their order, the files it names, and where each change starts."""

import re
import tomllib

import pytest

from tests.packaging.documents import ROOT

PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
SOURCE = ROOT / "src/metricgate"
TOPICS = [
    "the headline",
    "a section",
    "the page `report.html`",
    "a metric",
    "a chart",
    "a policy key",
    "an input",
    "an error",
    "a destination",
    "an executor",
    "a kind of gate",
    "a predictions format",
]


def read_rooms() -> list[set[str]]:
    """Return the rooms of the table, row by row, from top to bottom."""
    rows = re.findall(r"^\| ((?:`[\w./]+`(?:, )?)+) \|", PAGE, re.MULTILINE)
    return [set(re.findall(r"`(\w+)(?:/|\.py)`", row)) for row in rows]


def read_layers() -> list[set[str]]:
    """Return the layers that import-linter checks, from top to bottom."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (layers,) = (entry["layers"] for entry in contracts if entry.get("containers") == ["metricgate"])
    return [set(re.findall(r"\w+", layer)) - {"__main__"} for layer in layers]


def read_places() -> dict[str, list[str]]:
    """Return what the table of places says of each topic: where to start, and the test to extend."""
    _, _, section = PAGE.partition("## Where do I change …")
    table, _, _ = section.partition("\n## ")
    _, _, *rows = (line for line in table.splitlines() if line.startswith("|"))
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {topic: places for topic, *places in cells}


def name_paths(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


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


def test_every_topic_has_its_place_and_its_test() -> None:
    places = read_places()

    assert list(places) == TOPICS
    assert [topic for topic, cells in places.items() if len(cells) != 2] == []
    assert [topic for topic, cells in places.items() if not all(map(name_paths, cells))] == []


@pytest.mark.parametrize("topic", TOPICS)
def test_a_place_and_its_test_exist(topic: str) -> None:
    files, tests = map(name_paths, read_places()[topic])

    assert [name for name in files if not (SOURCE / name).exists() and not (ROOT / name).is_file()] == []
    assert [name for name in tests if not re.fullmatch(r"tests/([a-z_]+/)*test_\w+\.py", name)] == []
    assert [name for name in tests if not (ROOT / name).is_file()] == []


def test_the_page_is_one_page_with_the_picture() -> None:
    assert len(PAGE.splitlines()) <= 75
    assert "candidate snapshot" in PAGE
