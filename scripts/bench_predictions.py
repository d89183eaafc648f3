"""Measure the time and peak memory of reading and joining two large predictions files, and of a whole comparison.

The candidate's rows are shuffled, so that the join has to sort. Writing and measuring run in separate processes,
because the peak memory of a child starts at what its parent holds when it forks.

    python scripts/bench_predictions.py --rows 10000000
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MIB = 1024
FILES = ("baseline.parquet", "candidate.parquet")
POLICY = """
predictions: {path: p.parquet, id: id, label: label, score: score, slices: [plan, region]}
gates:
  - {metric: accuracy, max_drop: 0.01}
  - {metric: f1, max_drop: 0.01}
  - {metric: recall, max_drop: 0.02}
  - {metric: roc_auc, max_drop: 0.01}
  - {metric: log_loss, max_increase: 0.02}
  - {metric: accuracy, slices: [plan, region], max_drop: 0.05}
"""
COLUMNS = """
    i AS id,
    (hash(i * 7) % 100 < 27)::INTEGER AS label,
    (hash(i + {seed}) % 100000) / 100000.0::DOUBLE AS score,
    'plan ' || (hash(i * 3) % 10) AS plan,
    'region ' || (hash(i * 5) % 10) AS region
"""


def write_files(folder: Path, rows: int) -> None:
    """Write baseline and candidate as Parquet: id, label, score and two slice columns of ten values each."""
    import duckdb  # noqa: PLC0415  the measuring process must not load it before the clock starts

    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    for seed, name in enumerate(FILES):
        order = "ORDER BY hash(i)" if seed else ""
        query = f"SELECT {COLUMNS.format(seed=seed)} FROM range({rows}) numbers(i) {order}"  # noqa: S608  numbers only
        connection.execute(f"COPY ({query}) TO '{folder / name}' (FORMAT parquet, COMPRESSION zstd)")


def read_and_join(baseline: Path, candidate: Path) -> None:
    """Print the seconds of each step and this process's peak memory."""
    started = time.perf_counter()
    from metricgate.predictions import pair_predictions, read_predictions  # noqa: PLC0415  its time is measured too
    from metricgate.settings.policy import PredictionsSpec  # noqa: PLC0415  as above

    columns = {"id": "id", "label": "label", "score": "score", "slices": ["plan", "region"]}
    spec = PredictionsSpec.model_validate({"path": "predictions", **columns})
    sides = []
    for path in (baseline, candidate):
        sides.append(read_predictions(path, spec))
        print(f"read {path.stem:<10} {time.perf_counter() - started:7.2f} s")
    paired = pair_predictions(*sides)
    print(f"joined          {time.perf_counter() - started:7.2f} s, {paired.pairing.rows:,} common rows")
    print(f"processor time  {time.process_time():7.2f} s")
    print(f"peak memory     {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB:7.0f} MiB")


def compare_whole(folder: Path) -> None:
    """Print the time and peak memory of `metricgate compare`: five gates on all rows, one on two slice columns."""
    policy = folder / "metricgate.yaml"
    policy.write_text(POLICY, encoding="utf-8")
    files = [str(folder / name) for name in FILES]
    command = [sys.executable, "-m", "metricgate", "compare", *files, "--policy", str(policy)]
    started = time.perf_counter()
    done = subprocess.run([*command, "--output", str(folder / "report")], check=False, capture_output=True, text=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(done.stdout.splitlines()[0] if done.stdout else done.stderr)
    print(f"whole compare   {time.perf_counter() - started:7.2f} s")
    print(f"processor time  {used.ru_utime + used.ru_stime:7.2f} s")
    print(f"peak memory     {used.ru_maxrss / MIB:7.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="only write the two files")
    parser.add_argument("--compare", type=Path, metavar="FOLDER", help="only compare the files there")
    parser.add_argument("--files", type=Path, nargs=2, metavar=("BASELINE", "CANDIDATE"), help="only measure these")
    options = parser.parse_args()
    if options.write:
        write_files(options.write, options.rows)
    elif options.files:
        read_and_join(*options.files)
    elif options.compare:
        compare_whole(options.compare)
    else:
        with tempfile.TemporaryDirectory() as folder:
            again = [sys.executable, __file__]
            subprocess.run([*again, "--rows", str(options.rows), "--write", folder], check=True)
            subprocess.run([*again, "--files", *(str(Path(folder, name)) for name in FILES)], check=True)
            subprocess.run([*again, "--compare", folder], check=True)


if __name__ == "__main__":
    main()
