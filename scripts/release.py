"""Do the release steps that need no platform: check the version, and tag a commit whose action.yml names the image by digest.

release.py check VERSION            check that package and changelog say VERSION
release.py tag VERSION DIGEST       commit, tag vX.Y.Z, move vX, push both tags to origin

main keeps `image: Dockerfile`, so that `uses: ./` builds what it sees; the commit with the digest is reachable only
through its tags. This script runs before anything is installed, so it uses only the standard library.
"""

import re
import subprocess
import sys
from pathlib import Path

IMAGE = "docker://ghcr.io/metricgate/metricgate"
BOT = ("-c", "user.name=github-actions[bot]", "-c", "user.email=41898282+github-actions[bot]@users.noreply.github.com")


def main(arguments: list[str]) -> int:
    match arguments:
        case ["check", version]:
            problems = find_problems(Path(), version)
            print("\n".join(problems) or f"{version} can be released")
            return 1 if problems else 0
        case ["tag", version, digest]:
            return tag_release(Path(), version, digest)
    print(__doc__, file=sys.stderr)
    return 2


def find_problems(root: Path, version: str) -> list[str]:
    """Return how the package and the changelog differ from ``version``."""
    problems = []
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        problems.append(f"{version!r} is not X.Y.Z")
    package = re.search(r'__version__ = "(.+)"', (root / "src/metricgate/__init__.py").read_text(encoding="utf-8"))
    if package is None or package[1] != version:
        problems.append(f"src/metricgate/__init__.py says {package and package[1]}, not {version}")
    heading = re.search(r"^## \[(.+?)\]", (root / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    if heading is None or heading[1] != version:
        problems.append(f"CHANGELOG.md starts with {heading and heading[1]}, not {version}")
    return problems


def tag_release(root: Path, version: str, digest: str) -> int:
    problems = find_problems(root, version)
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        problems.append(f"{digest!r} is not a digest (sha256:…)")
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    action = root / "action.yml"
    text = action.read_text(encoding="utf-8")
    released, count = re.subn(r"^  image: Dockerfile$", f"  image: {IMAGE}@{digest}", text, flags=re.MULTILINE)
    if count != 1:
        print("action.yml does not say `image: Dockerfile` once", file=sys.stderr)
        return 1
    action.write_text(released, encoding="utf-8")
    major = f"v{version.split('.', maxsplit=1)[0]}"
    git(root, "switch", "--quiet", "--detach")
    git(root, *BOT, "commit", "--quiet", "--message", f"release: {version}", "--", "action.yml")
    git(root, "tag", f"v{version}")
    git(root, "tag", "--force", major)
    # A release's tag never moves: without --force, the push fails if the tag exists. Only the major tag moves.
    git(root, "push", "--quiet", "origin", f"refs/tags/v{version}")
    git(root, "push", "--quiet", "--force", "origin", f"refs/tags/{major}")
    return 0


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
