"""Do the release steps that need no platform: versions, tags on a commit whose action.yml names the image, the draft.

release.py prepare VERSION          write VERSION wherever the repository names one; commit and merge that
release.py check VERSION            check that package, changelog, examples and documents agree on VERSION
release.py tag VERSION DIGEST       commit, and push the tags vX.Y.Z and vX to origin together
release.py draft VERSION            draft the GitHub release vX.Y.Z with its notes

VERSION is X.Y.Z, or X.Y.ZrcN for a release candidate: it moves no tag vX, and its GitHub release is a pre-release.
`tag` and `draft` finish what an earlier run began: a tag that exists stays as it is, and so does a draft.

main keeps `image: Dockerfile`, so that `uses: ./` builds what it sees; the commit with the digest is reachable only
through its tags. This script runs before anything is installed, so it uses only the standard library.
"""

import datetime as dt
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

PROJECT = "metricgate/metricgate"
IMAGE = f"ghcr.io/{PROJECT}"
GATE = ".github/workflows/gate.yml"
BOT = ("-c", "user.name=github-actions[bot]", "-c", "user.email=41898282+github-actions[bot]@users.noreply.github.com")
VERSION = re.compile(r"(?P<final>(?P<major>\d+)\.\d+\.\d+)(?P<candidate>rc\d+)?")
PACKAGE = re.compile(r'(?<=__version__ = ")[^"]+')
HEADING = re.compile(r"(?<=^## \[)[^\]]+(?=\])", re.MULTILINE)
BUILT = re.compile(r"^  image: Dockerfile$", re.MULTILINE)
PULLED = re.compile(r"^  image: docker://\S+@(sha256:[0-9a-f]{64})$", re.MULTILINE)
# What names the moving tag vX, and what names a version: the only places that a release has to change.
TAGS = re.compile(
    rf"(?:(?<={PROJECT}@)|(?<={PROJECT}/\.github/workflows/gate\.yml@)|(?<=github\.com/{PROJECT}/blob/)|(?<=github\.com/{PROJECT}/tree/)"
    rf"|(?<=raw\.githubusercontent\.com/{PROJECT}/))v\d+(?:\.\w+)*"
)
VERSIONS = re.compile(
    r"(?:(?<=METRICGATE_VERSION: )|(?<=METRICGATE_VERSION: \")|(?<=METRICGATE_VERSION = ')|(?<=metricgate==))\d+(?:\.\w+)*"
)
NAMING = ("*.md", "docs/**/*.md", "examples/**/*", ".github/workflows/*.yml", "src/**/*.py", "pyproject.toml")


class ReleaseError(Exception):
    """A release cannot go on; the message says why, and what to do."""


def main(arguments: Sequence[str]) -> int:
    try:
        match arguments:
            case ["prepare", version]:
                prepare_release(Path(), version)
            case ["check", version]:
                refuse(find_problems(Path(), version))
                print(f"{version} can be released")
            case ["tag", version, digest]:
                tag_release(Path(), version, digest)
            case ["draft", version]:
                draft_release(Path(), version)
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except ReleaseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def refuse(problems: Sequence[str]) -> None:
    if problems:
        raise ReleaseError("\n".join(problems))


def parse_version(version: str) -> re.Match[str]:
    found = VERSION.fullmatch(version)
    if found is None:
        raise ReleaseError(f"{version!r} is not X.Y.Z or X.Y.ZrcN")
    return found


def prepare_release(root: Path, version: str) -> None:
    """Write the version into the package, the changelog, and every line that names a version or the moving tag."""
    parts = parse_version(version)
    rewrite(root / "src/metricgate/__init__.py", PACKAGE, version)
    if not parts["candidate"]:
        today = dt.datetime.now(dt.UTC).date().isoformat()
        rewrite(root / "CHANGELOG.md", re.compile(r"^## \[Unreleased\]$", re.MULTILINE), f"## [{version}] - {today}")
    for path in list_naming(root):
        text = path.read_text(encoding="utf-8")
        changed = TAGS.sub(f"v{parts['major']}", VERSIONS.sub(parts["final"], text))
        if changed != text:
            path.write_text(changed, encoding="utf-8")
    refuse(find_problems(root, version))


def rewrite(path: Path, pattern: re.Pattern[str], value: str) -> None:
    path.write_text(pattern.sub(value, path.read_text(encoding="utf-8"), count=1), encoding="utf-8")


def list_naming(root: Path) -> Iterator[Path]:
    found = {path for pattern in NAMING for path in root.glob(pattern) if path.is_file() and path.suffix != ".csv"}
    return iter(sorted(found - {root / "CHANGELOG.md"}))


def find_problems(root: Path, version: str) -> list[str]:
    """Return how the package, the changelog, the examples and the documents differ from ``version``."""
    found = VERSION.fullmatch(version)
    if found is None:
        return [f"{version!r} is not X.Y.Z or X.Y.ZrcN"]
    problems = []
    package = PACKAGE.search((root / "src/metricgate/__init__.py").read_text(encoding="utf-8"))
    if package is None or package[0] != version:
        problems.append(f"src/metricgate/__init__.py says {package and package[0]}, not {version}")
    heading = HEADING.search((root / "CHANGELOG.md").read_text(encoding="utf-8"))
    expected = "Unreleased" if found["candidate"] else version
    if heading is None or heading[0] != expected:
        problems.append(f"CHANGELOG.md starts with {heading and heading[0]}, not {expected}")
    if len(BUILT.findall((root / "action.yml").read_text(encoding="utf-8"))) != 1:
        problems.append("action.yml does not say `image: Dockerfile` once")
    return problems + find_strays(root, version)


def find_strays(root: Path, version: str) -> list[str]:
    """Return each line that names another version, or another moving tag, than ``version`` has."""
    parts = parse_version(version)
    wanted = ((TAGS, f"v{parts['major']}"), (VERSIONS, parts["final"]))
    return [
        f"{path.relative_to(root)}:{number} names {found}, not {name}"
        for path in list_naming(root)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        for pattern, name in wanted
        for found in pattern.findall(line)
        if found != name
    ]


def tag_release(root: Path, version: str, digest: str) -> None:
    """Push the tags of the release, both or none; where vX.Y.Z exists already, only let vX follow it."""
    problems = find_problems(root, version)
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        problems.append(f"{digest!r} is not a digest (sha256:…)")
    refuse(problems)
    head = git(root, "rev-parse", "HEAD")
    tags = read_tags(root)
    commit = tags.get(f"v{version}") or commit_release(root, version, digest)
    if git(root, "rev-parse", f"{commit}^") != head:
        raise ReleaseError(f"v{version} was released from another commit than {head}: release a new version")
    text = git(root, "show", f"{commit}:action.yml")
    found = PULLED.search(text)
    if found is None:
        raise ReleaseError(f"v{version} exists, and its action.yml names no image by digest: release a new version")
    push_tags(root, version, commit, tags)
    print(f"v{version} is {commit}, with the image {found[1]}")
    write_outputs(sha=commit, digest=found[1])


def read_tags(root: Path) -> dict[str, str]:
    """Return the commit of each tag of origin, and fetch those commits."""
    git(root, "fetch", "--quiet", "--no-tags", "origin", "+refs/tags/*:refs/release-tags/*")
    listed = git(root, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/release-tags/")
    return dict(line.split(" ", 1) for line in listed.splitlines())


def commit_release(root: Path, version: str, digest: str) -> str:
    """Return a commit whose action.yml names the image, and whose reusable workflow calls this release's action.

    Whoever pins the workflow so pins the action too: vX.Y.Z never moves. Checkout and branch stay as they are. The
    commit's date is HEAD's, so that the same version and digest always make the same commit.
    """
    released = {
        "action.yml": BUILT.sub(f"  image: docker://{IMAGE}@{digest}", read(root / "action.yml")),
        GATE: TAGS.sub(f"v{version}", read(root / GATE)),
    }
    index = {"GIT_INDEX_FILE": str(Path(git(root, "rev-parse", "--absolute-git-dir")) / "release-index")}
    date = git(root, "log", "-1", "--format=%cI")
    git(root, "read-tree", "HEAD", **index)
    for path, text in released.items():
        blob = git(root, "hash-object", "-w", "--stdin", given=text)
        git(root, "update-index", "--cacheinfo", f"100644,{blob},{path}", **index)
    tree = git(root, "write-tree", **index)
    dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    return git(root, *BOT, "commit-tree", tree, "-p", "HEAD", "-m", f"release: {version}", **dates)


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def push_tags(root: Path, version: str, commit: str, tags: dict[str, str]) -> None:
    # A release's tag never moves: without the plus sign, the push fails if another commit has it.
    wanted = [f"{commit}:refs/tags/v{version}"]
    parts = parse_version(version)
    if not parts["candidate"] and is_newest(version, parts["major"], tags):
        wanted.append(f"+{commit}:refs/tags/v{parts['major']}")
    git(root, "push", "--quiet", "--atomic", "origin", *wanted)


def is_newest(version: str, major: str, tags: dict[str, str]) -> bool:
    """Return whether no final release of this major version is newer: a repair of an old one moves nothing."""
    finals = [found["final"] for tag in tags if (found := VERSION.fullmatch(tag[1:])) and not found["candidate"]]
    numbers = [tuple(map(int, final.split("."))) for final in finals if final.split(".")[0] == major]
    return all(number <= tuple(map(int, version.split("."))) for number in numbers)


def draft_release(root: Path, version: str) -> None:
    """Draft the GitHub release of a tag that exists; leave one that exists, drafted or published."""
    parts = parse_version(version)
    tag = f"v{version}"
    commit = read_tags(root).get(tag)
    if commit is None:
        raise ReleaseError(f"origin has no tag {tag}: run `release.py tag` first")
    existing = next((release for release in list_releases() if release["tag_name"] == tag), None)
    if existing:
        print(f"{existing['html_url']} exists: {'a draft' if existing['draft'] else 'published'}")
        return
    body = {"tag_name": tag, "name": version, "body": render_notes(root, version, commit), "draft": True}
    drafted = ask_github("POST", "releases", body | {"prerelease": bool(parts["candidate"])})
    print(f"Drafted {drafted['html_url']}: read it, tick Marketplace, publish")


def render_notes(root: Path, version: str, commit: str) -> str:
    """Return the changelog's newest section, and how to pin this release."""
    _, _, rest = (root / "CHANGELOG.md").read_text(encoding="utf-8").partition("\n## [")
    section = rest.partition("\n## [")[0].partition("\n")[2].strip()
    found = PULLED.search(git(root, "show", f"{commit}:action.yml"))
    return f"""{section}

### Pin this release

```yaml
- uses: {PROJECT}@{commit} # v{version}
```

The action runs `{IMAGE}@{found[1] if found else ""}`, and `uvx metricgate=={version}` is the same program on a laptop.
`gh attestation verify oci://{IMAGE}:{version} --owner metricgate` says where the image was built.
"""


def list_releases() -> Iterator[dict[str, Any]]:
    page = 1
    while found := ask_github("GET", f"releases?per_page=100&page={page}"):
        yield from found
        page += 1


def ask_github(method: str, path: str, body: dict[str, object] | None = None) -> Any:
    address = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/{path}"
    headers = {"Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}", "Accept": "application/vnd.github+json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data=data, headers=headers, method=method)  # noqa: S310 - GitHub's own
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        said = error.read(2000).decode(errors="replace")
        raise ReleaseError(f"GitHub answered {error.code} to {method} {path}: {said}") from error
    except OSError as error:
        raise ReleaseError(f"GitHub did not answer {method} {path} ({error}): run this job again") from error


def write_outputs(**values: str) -> None:
    """Write outputs of the step, where a workflow runs this."""
    if file := os.environ.get("GITHUB_OUTPUT"):
        with Path(file).open("a", encoding="utf-8") as outputs:
            outputs.writelines(f"{name}={value}\n" for name, value in values.items())


def git(root: Path, *arguments: str, given: str = "", **variables: str) -> str:
    environment = os.environ | variables
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=root, env=environment, check=False, capture_output=True, text=True, input=given)
    if done.returncode:
        raise ReleaseError(f"`{' '.join(command)}` ended with exit code {done.returncode}: {done.stderr.strip()}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
