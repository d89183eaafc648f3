"""Measure watching: one column against scipy in one run, how cost grows, and the memory of long tables.

    python scripts/bench_drift.py --rows 10000000

Writing, and each measurement of memory, run in processes of their own: the peak of a child starts at what its parent
holds when it forks.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

MIB = 1024
LEAST_RATIO = 4.0
MOST_MIB = 1024


def compare_with_scipy(rows: int) -> float:
    """Print the CPU time of our exact distances with error and bias, and of scipy's two numbers; return the ratio."""
    from scipy import stats  # noqa: PLC0415

    from metricgate.stats.drift.number_shift import measure_numbers  # noqa: PLC0415

    rng = np.random.default_rng(1)
    reference, current = rng.normal(size=rows), rng.normal(0.01, 1, rows)
    measure_numbers(np.sort(reference[:1000]), np.sort(current[:1000]))
    ours = min(_time(lambda: measure_numbers(np.sort(reference), np.sort(current))) for _ in range(3))

    def both() -> None:
        stats.ks_2samp(reference, current, method="asymp")
        stats.wasserstein_distance(reference, current)

    theirs = min(_time(both) for _ in range(2))
    print(f"{rows:>10,} rows a side: {ours:.3f} s with error and bias, scipy {theirs:.3f} s: {theirs / ours:.1f} times")
    return theirs / ours


def _time(action) -> float:  # type: ignore[no-untyped-def]  # noqa: ANN001
    started = time.thread_time()
    action()
    return time.thread_time() - started


def write_tables(folder: Path, rows: int) -> None:
    """Write both tables: three columns of numbers, two of categories."""
    import duckdb  # noqa: PLC0415

    connection = duckdb.connect(config={"threads": "2", "memory_limit": "1GB"})
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET preserve_insertion_order = false")
    for seed, name in enumerate(("reference", "current")):
        query = f"""SELECT (hash(i + {seed}) % 1000003)::DOUBLE AS a, ln(1 + hash(i * 7 + {seed}) % 99991)::DOUBLE AS b,
            (hash(i * 11 + {seed}) % 100000) / 7.0::FLOAT AS c, 'v' || (hash(i * 3 + {seed}) % 20) AS few,
            'v' || (hash(i * 5 + {seed}) % 20000) AS many FROM range({rows}) numbers(i)"""  # noqa: S608  numbers only
        connection.execute(f"COPY ({query}) TO '{folder / name}.parquet' (FORMAT parquet)")


def watch_tables(folder: Path, *, as_csv: bool) -> None:
    """Watch the tables column by column, and print CPU time and this process's peak memory."""
    from metricgate.monitoring.column_measurement import measure_column  # noqa: PLC0415
    from metricgate.predictions.table_pair import open_pair  # noqa: PLC0415
    from metricgate.predictions.watched_column import classify_column  # noqa: PLC0415

    suffix = "csv" if as_csv else "parquet"
    if as_csv:
        _convert(folder)
    started = time.process_time()
    files = {name: (folder / f"{name}.{suffix}", name) for name in ("reference", "current")}
    with open_pair(files, rows={}) as pair:  # type: ignore[arg-type]
        rows, opened = pair.sides["reference"].rows, time.process_time() - started
        for column in pair.sides["reference"].types:
            began = time.process_time()
            found = measure_column(pair, classify_column(pair, column))
            print(f"  {column:>5} ({found.feature.kind}): {time.process_time() - began:.2f} CPU s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    print(f"{rows:,} rows a side from {suffix}: opened in {opened:.1f} CPU s, peak memory {peak:.0f} MiB", flush=True)
    if peak > MOST_MIB:
        raise SystemExit(f"more than {MOST_MIB} MiB")


def _convert(folder: Path) -> None:
    """Write the tables as CSV, in a process of its own."""
    subprocess.run([sys.executable, __file__, "--step", "convert", "--folder", str(folder)], check=True)


def convert_tables(folder: Path) -> None:
    import duckdb  # noqa: PLC0415

    connection = duckdb.connect(config={"memory_limit": "1GB"})
    for name in ("reference", "current"):
        connection.read_parquet(str(folder / f"{name}.parquet")).write_csv(str(folder / f"{name}.csv"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--csv-rows", type=int, default=1_000_000)
    parser.add_argument("--step", choices=["write", "convert", "parquet", "csv"])
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.step == "write":
        write_tables(given.folder, given.rows)
        return 0
    if given.step == "convert":
        convert_tables(given.folder)
        return 0
    if given.step:
        watch_tables(given.folder, as_csv=given.step == "csv")
        return 0
    ratios = [compare_with_scipy(rows) for rows in (10_000, 100_000, 1_000_000)]
    for rows, step in ((given.rows, "parquet"), (given.csv_rows, "csv")):
        with tempfile.TemporaryDirectory() as folder:
            for part in ("write", step):
                command = [sys.executable, __file__, "--step", part, "--folder", folder, "--rows", str(rows)]
                if subprocess.run(command, check=False).returncode:
                    return 1
    return int(ratios[-1] < LEAST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
