"""Measure what `uvx metricgate` installs: packages and megabytes, and what they would be without parts that could be extras."""

import subprocess
import sys
import tempfile
from email.parser import Parser
from importlib.metadata import distributions
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).parent.parent
MILLION = 1_000_000
LARGEST = 12
# What could be an extra, by the requirements that a user would then have to name.
WITHOUT = {"all of it": (), "without S3": ("dvc[s3]",), "without S3 and pictures": ("dvc[s3]", "matplotlib")}


def main() -> int:
    uv = find_uv_bin()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build = [uv, "build", "--quiet", "--wheel", "--build-constraints", str(ROOT / "requirements/dev.txt")]
        subprocess.run([*build, "--out-dir", str(folder), str(ROOT)], check=True)
        (wheel,) = folder.glob("*.whl")
        for title, left_out in WITHOUT.items():
            site = folder / title.replace(" ", "-")
            requirements = folder / "requirements.txt"
            requirements.write_text("\n".join(list_requirements(left_out)), encoding="utf-8")
            install = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", str(site)]
            subprocess.run([*install, "--no-deps", str(wheel)], check=True)
            subprocess.run([*install, "-r", str(requirements)], check=True)
            sizes = measure(site)
            print(f"{title:<26}{len(sizes):5} packages{sum(sizes.values()) / MILLION:6.0f} MB")
            if not left_out:
                largest = sorted(sizes.items(), key=lambda entry: -entry[1])[:LARGEST]
                print("    " + ", ".join(f"{package} {size / MILLION:.0f}" for package, size in largest))
    return 0


def list_requirements(left_out: tuple[str, ...]) -> list[str]:
    """Return the package's requirements; of one with an extra, the plain package stays."""
    from metricgate import __name__ as package  # noqa: PLC0415  the environment that the bench runs in

    text = next(one for one in distributions() if one.name == package).read_text("METADATA") or ""
    found = [
        value for key, value in Parser().parsestr(text).items() if key == "Requires-Dist" and "extra ==" not in value
    ]
    kept = [value for value in found if not value.startswith(left_out or "-")]
    return kept + [value.replace("[s3]", "") for value in found if value not in kept and "[" in value]


def measure(site: Path) -> dict[str, int]:
    """Return the bytes of each installed package, without bytecode."""
    return {
        found.name: sum(
            size_of(Path(str(found.locate_file(file)))) for file in found.files or () if file.suffix != ".pyc"
        )
        for found in distributions(path=[str(site)])
    }


def size_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


if __name__ == "__main__":
    sys.exit(main())
