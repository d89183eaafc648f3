"""Measure the time until the summary is written when GitHub does not answer, and until publishing gives up.

GitHub is a server that takes every request and answers none. By default its times are a tenth of the real ones.

    python scripts/bench_publish.py --share 1
"""

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from metricgate.models.outcome import Verdict  # noqa: E402
from metricgate.publish.files import write_report  # noqa: E402
from metricgate.publish.github.retry_budget import RetryBudget  # noqa: E402
from metricgate.publish.publication import Publication  # noqa: E402
from metricgate.settings.inputs import read_inputs  # noqa: E402
from tests.github.job import make_chart, make_report, make_trigger  # noqa: E402
from tests.services.awkward_replies import hang  # noqa: E402
from tests.services.awkward_server import serve  # noqa: E402

TIMEOUT_S, TOTAL_S = 15, 120
FILES = ("GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY")


def wait_for(file: Path, written: list[float], ended: threading.Event) -> None:
    while not ended.wait(0.005):
        if file.exists() and file.stat().st_size:
            written.append(time.perf_counter())
            return


def measure(folder: Path, share: float) -> tuple[float, float]:
    """Return the seconds until the summary stands, and until publishing ends."""
    environ = {name: str(folder / name) for name in FILES}
    report = make_report(Verdict.FAILED, charts=(make_chart(),))
    write_report(report, folder / "report")
    written: list[float] = []
    with serve(hang()) as server:
        publication = Publication(
            make_trigger(server.url),
            read_inputs({"INPUT_GITHUB-TOKEN": "a-token"}),
            environ,
            budget=RetryBudget(total_s=TOTAL_S * share),
            timeout_s=TIMEOUT_S * share,
        )
        ended = threading.Event()
        watch = threading.Thread(target=wait_for, args=(folder / "GITHUB_STEP_SUMMARY", written, ended))
        watch.start()
        started = time.perf_counter()
        publication.finish(report, folder / "report")
        seconds = time.perf_counter() - started
        ended.set()
        watch.join()
    return written[0] - started, seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=0.1, help="of the real time limits")
    share = parser.parse_args().share
    with tempfile.TemporaryDirectory() as folder:
        summary_s, whole_s = measure(Path(folder), share)
    print(f"time until the summary is written when GitHub does not answer {summary_s:7.3f} s")
    print(f"time until publishing gives up                                {whole_s:7.3f} s")
    print(f"ratio                                                         {summary_s / whole_s:7.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
