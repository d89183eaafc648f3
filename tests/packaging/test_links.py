"""Links between pages lead somewhere; links to other sites have the form of an address, and a workflow requests them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from tests.packaging.documents import PAGES, ROOT, list_anchors, read_prose

LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"|<(https?://[^>\s]+)>")
OUR_FILES = re.compile(
    r"https://github\.com/metricgate/metricgate/(?:blob|tree)/(?:main|v1)/([^#?\s\"')]+)(?:#([\w-]+))?"
)
HOST = re.compile(r"([a-z0-9-]+\.)+[a-z]{2,}")


def list_links(page: Path) -> Iterator[str]:
    for found in LINK.findall(read_prose(page)):
        yield next(filter(None, found))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in list_links(page):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in list_anchors(file), f"{page.name} links to {target}"


def test_links_to_other_sites_have_the_form_of_an_address() -> None:
    found = [(page, link) for page in PAGES for link in list_links(page) if "://" in link]

    assert len(found) > 10
    for page, link in found:
        parts = urlsplit(link)
        assert parts.scheme == "https", f"{page.name}: {link}"
        assert HOST.fullmatch(parts.hostname or ""), f"{page.name}: {link}"
        assert not re.search(r"[.,;:!]$", link), f"{page.name}: {link}"


def test_links_to_this_repository_on_github_lead_to_files_that_are_here() -> None:
    sources = [*PAGES, *(ROOT / "src").rglob("*.py"), ROOT / "action.yml", ROOT / "pyproject.toml"]
    found = [match for path in sources for match in OUR_FILES.findall(path.read_text(encoding="utf-8"))]

    assert ("docs/troubleshooting.md", "") in found
    for path, anchor in found:
        file = ROOT / path
        assert file.exists(), path
        assert not anchor or anchor in list_anchors(file), f"{path}#{anchor}"


def test_a_workflow_asks_the_other_sites_of_every_page() -> None:
    workflow = YAML(typ="safe").load(ROOT / ".github/workflows/links.yml")
    (step,) = (step for step in workflow["jobs"]["links"]["steps"] if "lychee-action@" in step["uses"])
    patterns = [word for word in shlex.split(step["with"]["args"]) if word.endswith(".md")]

    asked = {path for pattern in patterns for path in ROOT.glob(pattern)}

    assert set(PAGES) <= asked
    assert "schedule" in workflow["on"]
