"""How a program can name another file, and what of it is found without running anything."""

from collections.abc import Mapping

import pytest

from metricgate.revisions.code_reach import FileIndex, Reach, Tracer


def trace(
    files: Mapping[str, str], *starts: str, links: Mapping[str, str] | None = None, adds_roots: bool = False
) -> Reach:
    links = links or {}

    def read(path: str) -> str | None:
        return files.get(links.get(path, path))

    tracer = Tracer(index=FileIndex(files), read=read, follow_link=lambda path: links.get(path, path))
    return tracer.trace(starts or ["src/evaluate.py"], adds_roots=adds_roots)


@pytest.mark.parametrize(
    "code",
    [
        "import helpers",
        "import csv, helpers as h",
        "import csv; import helpers",
        "from helpers import accuracy",
        "from \\\n  helpers import accuracy",
        "try: import helpers\nexcept ImportError: pass",
        "if True: from helpers import *",
        "def later():\n    import helpers",
        "import importlib\nhelpers = importlib.import_module('helpers')",
        "from importlib import import_module as get\nget('helpers')",
        "__import__('helpers').accuracy()",
        "import runpy; runpy.run_path('src/helpers.py')",
        "exec('import helpers')",
        "exec(open('src/helpers.py').read())",
        "import subprocess; subprocess.run(['python', 'src/helpers.py'])",
        "import os; os.system('python src/helpers.py --all')",
        "import os; os.system('python -m helpers')",
        "name = 'src/' + 'helpers.py'",
        "print 'Python 2'\nimport helpers",
    ],
)
def test_code_that_a_program_loads_is_found(code: str) -> None:
    assert "src/helpers.py" in trace({"src/evaluate.py": code, "src/helpers.py": ""}).named


@pytest.mark.parametrize(
    "code",
    [
        "open('config/limits.json')",
        "import os; open(os.path.join('config', 'limits.json'))",
        "from pathlib import Path; Path('config', 'limits.json').read_text()",
        "from pathlib import Path; (Path('config') / 'limits.json').read_text()",
        "from pathlib import Path; (Path(__file__).parents[1] / 'config' / 'limits.json').read_text()",
        "from pathlib import Path; Path('.').joinpath('config', 'limits.json')",
        "'/'.join(['config', 'limits.json'])",
        "ROOT = 'x'\nopen(f'{ROOT}/limits.json')",
        "open('config/%s.json' % name)",
        "open('config/{}.json'.format(name))",
        "open('config/{name}.json'.format(name=name))",
        "open('config/' + name)",
        "open('config/lim' + name + '.json')",
        "import glob; glob.glob('config/*.json')",
        "from pathlib import Path; list(Path('config').glob('*'))",
        "import os; os.listdir('config')",
        "find('limits.json')",
        "from pathlib import Path; Path(__file__).parent.with_name('limits.json')",
    ],
)
def test_a_file_that_a_program_reads_is_found_by_parts_of_its_name(code: str) -> None:
    reach = trace({"src/evaluate.py": code, "config/limits.json": "{}", "web/package.json": "{}"})

    assert "config/limits.json" in reach.named | reach.likely
    assert "web/package.json" not in reach.named | reach.likely


def test_a_file_of_the_same_name_beside_a_program_is_found() -> None:
    code = "from pathlib import Path; Path(__file__).with_suffix('.cfg').read_text()"

    assert trace({"src/evaluate.py": code, "src/evaluate.cfg": "", "web/a.cfg": ""}).likely == {"src/evaluate.cfg"}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("run.sh", "set -e\npython src/real.py --data x\n"),
        ("run.sh", '. "$ROOT/env.sh"\npython "${ROOT}/src/real.py"\n'),
        ("run.sh", "cd src && exec python real.py\n"),
        ("Makefile", "evaluate: model.json\n\tpython src/real.py\n"),
        ("bin/evaluate", "#!/usr/bin/env python3\nimport src.real\n"),
        ("conf/eval.yaml", "_target_: src.real.Evaluation\n"),
        ("notebook.ipynb", '{"source": ["from src import real\\n"]}'),
        ("eval.R", 'source("src/real.py")'),
    ],
)
def test_other_programs_than_python_are_followed(path: str, text: str) -> None:
    reach = trace({path: text, "src/real.py": "", "src/other.py": ""}, path)

    assert "src/real.py" in reach.named | reach.likely
    assert "src/other.py" not in reach.named | reach.likely


def test_what_is_reached_is_followed_further() -> None:
    files = {
        "src/evaluate.py": "import first",
        "src/first.py": "from .second import x\nfrom tools.third import y",
        "src/second.py": "open('limits.cfg')",
        "tools/third.py": "",
        "limits.cfg": "",
    }

    assert trace(files).named >= set(files)


@pytest.mark.parametrize("code", ["import sys\nsys.path.insert(0, 'extra')\nimport json", "import helpers"])
def test_modules_are_found_in_folders_that_are_not_usual(code: str) -> None:
    files = {"src/evaluate.py": code, "extra/json.py": "", "extra/helpers.py": "", "extra/other.py": ""}

    named = trace(files).named

    assert ("extra/json.py" in named) == ("sys.path" in code)
    assert ("extra/helpers.py" in named) == ("sys.path" not in code)
    assert "extra/other.py" not in named


def test_a_command_that_sets_the_path_of_modules_counts_as_well() -> None:
    files = {"src/evaluate.py": "import json", "extra/json.py": ""}

    assert "extra/json.py" not in trace(files).named
    assert "extra/json.py" in trace(files, adds_roots=True).named


@pytest.mark.parametrize("name", ["helpers.so", "helpers.cpython-313-x86_64-linux-gnu.so", "helpers.pyc"])
def test_compiled_modules_are_found(name: str) -> None:
    assert f"src/{name}" in trace({"src/evaluate.py": "import helpers", f"src/{name}": "\0"}).named


def test_a_link_leads_to_what_it_names() -> None:
    files = {"lib/real.py": "import scores", "lib/scores.py": "", "src/scores.py": ""}

    named = trace(files, links={"src/evaluate.py": "lib/real.py"}).named

    assert {"lib/real.py", "lib/scores.py"} <= named


@pytest.mark.parametrize(
    "code", ["import importlib; importlib.import_module(name)", "exec(text)", "from runpy import run_path; run_path(x)"]
)
def test_code_that_is_loaded_by_an_unknown_name_is_noticed(code: str) -> None:
    assert trace({"src/evaluate.py": code}).loads_unknown


@pytest.mark.parametrize(
    "code", ["import importlib; importlib.import_module('csv')", "model.eval(); re.compile(text); torch.compile(model)"]
)
def test_methods_of_the_same_names_load_nothing(code: str) -> None:
    assert not trace({"src/evaluate.py": code}).loads_unknown


@pytest.mark.parametrize(
    "code",
    [
        '"""Compare with features.py and train.py."""',
        "# see features.py\nfeatures = train = 1",
        "features = rows['features']; model.train(False)",
        "from pathlib import Path; open(Path('data') / 'test.csv')",
    ],
)
def test_an_ordinary_program_names_nothing_else(code: str) -> None:
    files = {"src/evaluate.py": code, "src/features.py": "", "src/train.py": "", "data/train.csv": "", "features": ""}

    reach = trace(files)

    assert not {"src/features.py", "src/train.py", "data/train.csv"} & (reach.named | reach.likely)


@pytest.mark.parametrize(
    "code",
    [
        "x = " + " + ".join(["'a'"] * 20_000),
        "(" * 5000,
        "import " + "a." * 5000 + "b",
        "x = " + "-" * 50_000 + "1",
        "%s" * 100_000,
        "x = 1 \\\n" * 5000,
    ],
)
def test_what_a_hostile_text_names_is_found_all_the_same(code: str) -> None:
    files = {"src/evaluate.py": f"{code}\nimport helpers\n", "src/helpers.py": ""}

    assert "src/helpers.py" in trace(files).named
