"""Files of many rows are refused before they are read, and reading ends when it is told to."""

import os
import signal
import threading
from pathlib import Path

import duckdb
import pytest

from metricgate.errors import CancelledError, PredictionsError, TimeLimitError
from metricgate.predictions import read_predictions
from metricgate.predictions.prediction_table import PredictionTable, open_connection, open_table
from metricgate.predictions.reading_limits import MAX_ROWS, find_memory, require_affordable
from metricgate.processes.signals import limit_time, raise_on_signals
from metricgate.settings.policy import PredictionsSpec

GB = 10**9
ENDLESS = "SELECT sum(hash(a.i * b.i) % 7) FROM range(1000000) a(i), range(1000000) b(i)"


def test_sixty_million_rows_in_a_small_file_are_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "p.parquet"
    with duckdb.connect() as connection:
        rows = connection.sql("SELECT true AS label, 0.5::FLOAT AS score FROM range(60000000)")
        rows.to_parquet(str(file), row_group_size=10_000_000)
    assert file.stat().st_size < 61 * 2**20

    with pytest.raises(PredictionsError, match="has 60,000,000 rows") as caught:
        read_predictions(file, PredictionsSpec(path="p.parquet", label="label", score="score"), shown="p.parquet")

    assert "GB of memory" in caught.value.what
    assert "minute" in caught.value.what
    assert caught.value.expected == "at most 50,000,000 rows."
    assert "a sample of the test rows" in caught.value.fix


def test_what_a_machine_cannot_hold_is_refused_with_what_it_would_take() -> None:
    with pytest.raises(PredictionsError, match=r"takes about 7\.2 GB of memory and 2 minutes") as caught:
        require_affordable(20_000_000, 10, "p.csv", memory=8 * GB)

    assert caught.value.expected == "at most 6.4 GB, which this machine can give."
    assert "more memory" in caught.value.fix
    require_affordable(20_000_000, 10, "p.csv", memory=16 * GB)


def test_ten_million_rows_are_within_the_means_of_a_hosted_runner() -> None:
    require_affordable(10_000_000, 12, "p.parquet", memory=7 * GB)
    require_affordable(MAX_ROWS, 2, "p.parquet", memory=16 * GB)


def test_the_memory_of_this_machine_is_known() -> None:
    assert find_memory() > GB / 8


def test_a_time_limit_ends_a_query() -> None:
    with pytest.raises(TimeLimitError, match=r"stopped after 0\.3 s"), limit_time(0.3), open_connection() as connection:
        _table(connection).ask(ENDLESS)


def test_a_signal_ends_a_query() -> None:
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM))
    with pytest.raises(CancelledError, match="SIGTERM"), raise_on_signals(), open_connection() as connection:  # noqa: PT012
        timer.start()
        _table(connection).ask(ENDLESS)


def test_a_time_limit_is_over_with_its_context(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGALRM)
    (tmp_path / "p.csv").write_text("label,score\n1,0.5\n", encoding="utf-8")

    with limit_time(60), open_table(tmp_path / "p.csv", "p.csv") as table:
        rows = table.ask("SELECT count(*) FROM rows")

    assert rows == [(1,)]
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) == before


def _table(connection: duckdb.DuckDBPyConnection) -> PredictionTable:
    return PredictionTable(connection, (), "p.csv", {})
