"""The pipeline's own plots: DVC's built-in templates, both revisions in one chart."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imsave
from PIL import Image

from metricgate.models.result import ChartData
from metricgate.models.snapshot import PlotFile, RevisionInfo, Snapshot, Source
from metricgate.report.figures import draw_chart
from metricgate.report.figures.dvc_plot_files import decode_text
from metricgate.report.figures.dvc_plots import BUCKETS, MAX_PLOTS, TEMPLATES, build_plots
from metricgate.report.figures.png import draw_figure

LOSS = "step,loss\n0,1.0\n1,0.5\n2,0.25\n"


def make_snapshot(folder: Path, texts: dict[str, str], **facts: Any) -> Snapshot:
    folder.mkdir(exist_ok=True)
    plots = []
    for name, text in texts.items():
        path = folder / name
        path.write_text(text, encoding="utf-8")
        plots.append((PlotFile(path=f"plots/{name}", **facts), path))
    return Snapshot(info=RevisionInfo(name="x", source=Source.FILE), plots=tuple(plots))


def draw_one(folder: Path, name: str, before: str, after: str, **facts: Any) -> ChartData:
    # A line more: plots that are the same in both revisions are not drawn.
    baseline = make_snapshot(folder / "a", {name: f"{before}\n" if before == after else before}, **facts)
    found = build_plots(baseline, make_snapshot(folder / "b", {name: after}, **facts))

    assert found.notes == ()
    return found.charts[0]


def test_a_plot_that_did_not_change_is_named_and_not_drawn(tmp_path: Path) -> None:
    before = make_snapshot(tmp_path / "a", {"loss.csv": LOSS, "other.csv": LOSS}, x="step", y="loss")
    after = make_snapshot(tmp_path / "b", {"loss.csv": LOSS, "other.csv": LOSS + "3,0.1\n"}, x="step", y="loss")

    found = build_plots(before, after)

    assert [chart.name for chart in found.charts] == ["plot-plots/other.csv-loss"]
    assert found.notes == ("1 plot of the pipeline did not change.",)


def test_a_curve_that_is_drawn_from_the_predictions_is_not_drawn_again(tmp_path: Path) -> None:
    roc = ChartData(
        name="roc", kind="curves", title="ROC", alt="", x_label="false positive rate", y_label="true positive rate"
    )
    after = make_snapshot(tmp_path / "b", {"roc.csv": "fpr,tpr\n0,0\n1,1\n"}, x="fpr", y="tpr")

    found = build_plots(None, after, [roc])

    assert found.charts == ()
    assert found.notes == ("The plot plots/roc.csv is not drawn: the same curve is drawn from the predictions.",)
    assert len(build_plots(None, after).charts) == 1


def test_plots_of_one_name_are_told_apart_by_their_folders_or_columns(tmp_path: Path) -> None:
    file = tmp_path / "any.csv"
    file.write_text("x,a,b\n0,0,1\n1,1,2\n", encoding="utf-8")
    places = (("live/roc/test.csv", "a"), ("live/prc/test.csv", "a"), ("live/loss.csv", "a"), ("live/loss.csv", "b"))
    plots = tuple((PlotFile(path=path, x="x", y=y), file) for path, y in places)

    found = build_plots(None, Snapshot(info=RevisionInfo(name="x", source=Source.FILE), plots=plots))

    assert [chart.title for chart in found.charts] == ["roc/test", "prc/test", "loss: a", "loss: b"]


def test_both_revisions_lie_over_each_other(tmp_path: Path) -> None:
    chart = draw_one(tmp_path, "loss.csv", LOSS, LOSS.replace("0.25", "0.2"), x="step", y="loss", title="Loss")

    assert (chart.kind, chart.title, chart.x_label, chart.y_label) == ("curves", "Loss", "step", "loss")
    assert [(curve.side, curve.x, curve.y) for curve in chart.curves] == [
        ("baseline", (0, 1, 2), (1, 0.5, 0.25)),
        ("candidate", (0, 1, 2), (1, 0.5, 0.2)),
    ]


def test_without_columns_the_last_one_is_drawn_by_row(tmp_path: Path) -> None:
    chart = draw_one(tmp_path, "loss.tsv", LOSS.replace(",", "\t"), LOSS.replace(",", "\t"))

    assert (chart.title, chart.x_label, chart.y_label) == ("loss", "row", "loss")
    assert chart.curves[1].x == (0, 1, 2)


def test_json_is_read_as_dvclive_writes_it(tmp_path: Path) -> None:
    text = '{"roc": [{"fpr": 0.0, "tpr": 0.0, "threshold": Infinity}, {"fpr": 1.0, "tpr": 1.0, "threshold": 0.1}]}'

    chart = draw_one(tmp_path, "roc.json", text, text, template="simple", x="fpr", y="tpr")

    assert chart.curves[0].y == (0.0, 1.0)
    threshold = draw_one(tmp_path, "roc.json", text, text, x="fpr", y="threshold")
    assert threshold.curves[0].y == (0.1,)


def test_yaml_is_read(tmp_path: Path) -> None:
    text = "points:\n- {x: 1, y: 2}\n- {x: 2, y: 3}\n"

    assert draw_one(tmp_path, "points.yaml", text, text, x="x", y="y").curves[1].y == (2, 3)


def test_a_long_line_keeps_its_spikes(tmp_path: Path) -> None:
    values = np.zeros(100_000)
    values[77_777], values[12_345] = 9.0, -9.0
    text = "y\n" + "\n".join(map(str, values))

    curve = draw_one(tmp_path, "long.csv", text, text, y="y").curves[0]

    assert len(curve.x) <= 2 * BUCKETS + 2
    assert (max(curve.y), min(curve.y)) == (9.0, -9.0)
    assert curve.x[curve.y.index(9.0)] == 77_777
    assert (curve.x[0], curve.x[-1]) == (0, 99_999)


def test_a_confusion_template_has_rows_of_actual_classes(tmp_path: Path) -> None:
    text = json.dumps([{"actual": "cat", "predicted": p} for p in ("cat", "dog", "dog")])

    chart = draw_one(tmp_path, "cm.json", text, text, template="confusion", x="actual", y="predicted")

    assert (chart.labels, chart.matrices[1]) == (("cat", "dog"), ((1, 2), (0, 0)))


def test_bars_show_the_candidates_largest_first(tmp_path: Path) -> None:
    before = "name,gain\na,1\nb,3\n"
    after = "name,gain\na,2\nb,1\nc,5\n"

    chart = draw_one(tmp_path, "gain.csv", before, after, template="bar_horizontal_sorted", x="gain", y="name")

    assert chart.labels == ("c", "a", "b")
    assert [curve.x for curve in chart.curves] == [(0.0, 1.0, 3.0), (5.0, 2.0, 1.0)]


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_every_built_in_template_can_be_drawn(template: str, tmp_path: Path) -> None:
    chart = draw_one(tmp_path, "data.csv", "a,b\n1,1\n2,2\n", "a,b\n1,1\n2,1\n", template=template, x="a", y="b")

    assert draw_chart(chart, "light").startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "text", "facts", "why"),
    [
        ("own.json", "[]", {"template": "mine"}, "its template mine is not built into DVC"),
        ("tree.png", "", {}, "it is not a PNG"),
        ("tree.svg", "<svg/>", {}, "it is not a PNG"),
        ("loss.csv", LOSS, {"y": "gone"}, "its columns are not in the file"),
        ("loss.csv", "", {}, "its columns are not in the file"),
        ("loss.json", "{", {}, "it cannot be read"),
        ("loss.json", '{"a": 1}', {}, "it has no list of rows"),
        ("loss.json", "[" * 100_000, {}, "it cannot be read"),
        ("loss.txt", LOSS, {}, "it is a .txt file"),
        ("loss.yaml", "a: [", {}, "it is not YAML"),
        ("words.csv", "a\nb\nc\n", {}, "column a has no numbers"),
        (
            "cm.csv",
            "a,b\n" + "\n".join(f"{i},{i}" for i in range(9)),
            {"template": "confusion", "x": "a", "y": "b"},
            "9 classes",
        ),
    ],
)
def test_a_plot_that_is_not_drawn_says_why(
    tmp_path: Path, name: str, text: str, facts: dict[str, Any], why: str
) -> None:
    found = build_plots(None, make_snapshot(tmp_path, {name: text}, **facts))

    assert found.charts == ()
    assert found.notes[0].startswith(f"The plot plots/{name} is not drawn: ")
    assert why in found.notes[0]


def test_a_new_plot_is_drawn_alone(tmp_path: Path) -> None:
    found = build_plots(make_snapshot(tmp_path / "a", {}), make_snapshot(tmp_path / "b", {"loss.csv": LOSS}))

    assert [curve.side for curve in found.charts[0].curves] == ["candidate"]


def test_very_many_plots_are_counted(tmp_path: Path) -> None:
    found = build_plots(None, make_snapshot(tmp_path, {f"{index}.csv": LOSS for index in range(MAX_PLOTS + 3)}))

    assert len(found.charts) == MAX_PLOTS
    assert found.notes == ("3 more plots of the pipeline are not drawn.",)


def write_picture(path: Path, width: int, height: int, shade: float) -> Path:
    pixels = np.full((height, width, 3), shade)
    pixels[: height // 2] = 0.0
    path.parent.mkdir(exist_ok=True)
    imsave(path, pixels)
    return path


def make_picture_snapshot(path: Path) -> Snapshot:
    plots = ((PlotFile(path="plots/tree.png"), path),)
    return Snapshot(info=RevisionInfo(name="x", source=Source.FILE), plots=plots)


def test_pictures_of_both_revisions_stand_side_by_side_made_smaller(tmp_path: Path) -> None:
    before = make_picture_snapshot(write_picture(tmp_path / "a" / "tree.png", 1000, 400, 0.2))
    after = make_picture_snapshot(write_picture(tmp_path / "b" / "tree.png", 1000, 400, 0.8))

    (chart,) = build_plots(before, after).charts

    shown = [decode_text(image) for image in chart.images]
    assert [pixels.shape for pixels in shown] == [(133, 333, 4)] * 2
    assert [float(pixels[-1, 0, 0]) for pixels in shown] == pytest.approx([0.2, 0.8], abs=0.01)
    assert draw_chart(chart, "dark").startswith(b"\x89PNG")
    assert [axes.get_title() for axes in draw_figure(chart, "dark").axes] == ["baseline", "candidate"]


def test_a_grey_picture_is_read(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    Image.new("L", (3, 2), 51).save(path)

    (chart,) = build_plots(None, make_picture_snapshot(path)).charts

    assert decode_text(chart.images[0])[0, 0] == pytest.approx([0.2, 0.2, 0.2, 1.0])


def make_header(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + bytes([8, 2, 0, 0, 0]) + bytes(4)


@pytest.mark.parametrize(
    ("content", "why"),
    [(make_header(60_000, 60_000), "it has more than 20,000,000 pixels"), (make_header(10, 10), "it is a broken PNG")],
)
def test_a_picture_that_could_not_be_held_in_memory_is_not_decoded(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "tree.png"
    path.write_bytes(content)

    found = build_plots(None, make_picture_snapshot(path))

    assert found.notes == (f"The plot plots/tree.png is not drawn: {why}.",)
