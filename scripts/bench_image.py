"""Size and start of the image: `scripts/bench_image.py [IMAGE]`, metricgate-under-test by default (`make container`).

Seconds are from the docker client's start, medians of five, in a container without network.
"""

import gzip
import statistics
import subprocess
import sys
import time

RUNS = 5
SITE = "/opt/metricgate/lib/python3.13/site-packages"
MILLION = 1_000_000


def main(image: str) -> int:
    if subprocess.run(["docker", "image", "inspect", image], check=False, capture_output=True).returncode:
        print(f"image: not measured, there is no image {image} (make container builds it)")
        return 0
    print(f"compressed, with its base image   {compressed_size(image) / MILLION:6.0f} MB")
    print(f"seconds to the first line         {measure(image, 'MetricGate'):6.2f}")
    print(
        f"seconds to the first useful work  {measure(image, 'Expected:'):6.2f}  (an event is refused, with its message)"
    )
    print(f"seconds to `python -c pass`       {measure_floor(image):6.2f}  (the engine's own part)")
    print("largest packages, MB unpacked:    " + ", ".join(largest_packages(image)))
    return 0


def compressed_size(image: str) -> int:
    """Return the size of all layers, each compressed as registries keep it (gzip -6), in bytes."""
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saving:
        counter = Counter()
        with gzip.GzipFile(fileobj=counter, mode="wb", compresslevel=6) as packed:  # type: ignore[arg-type]
            while chunk := saving.stdout.read(MILLION):  # type: ignore[union-attr]
                packed.write(chunk)
    return counter.total


class Counter:
    """A file that only counts what is written."""

    total = 0

    def write(self, data: bytes) -> int:
        self.total += len(data)
        return len(data)

    def flush(self) -> None:
        """Have nothing to flush."""


def measure(image: str, text: str) -> float:
    """Return the median seconds until a line of the action's log holds ``text``."""
    return statistics.median(seconds_to_line(image, text) for _ in range(RUNS))


def seconds_to_line(image: str, text: str) -> float:
    # A workflow that asks for something refused: inputs, event and trigger are read, and then it ends.
    values = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request_target"}
    command = ["docker", "run", "--rm", "--network", "none"]
    for name, value in values.items():
        command += ["-e", f"{name}={value}"]
    started = time.monotonic()
    with subprocess.Popen([*command, image], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as client:
        for line in client.stdout:  # type: ignore[union-attr]
            if text in line:
                seconds = time.monotonic() - started
                client.communicate()
                return seconds
    raise SystemExit(f"the container never said {text!r}")


def measure_floor(image: str) -> float:
    times = []
    for _ in range(RUNS):
        started = time.monotonic()
        command = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "/opt/metricgate/bin/python", image]
        subprocess.run([*command, "-c", "pass"], check=True)
        times.append(time.monotonic() - started)
    return statistics.median(times)


def largest_packages(image: str) -> list[str]:
    command = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c"]
    listed = subprocess.run([*command, f"du -sm {SITE}/*"], check=True, capture_output=True, text=True).stdout
    sizes = sorted(((int(size), path.rsplit("/", 1)[1]) for size, path in map(str.split, listed.splitlines())))
    return [f"{name} {size}" for size, name in sizes[:-9:-1]]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "metricgate-under-test"))
