"""JUnit XML of many tools, and of a pull request that wants to harm its reader."""

from collections.abc import Callable
from pathlib import Path

import pytest

from metricgate.model_tests.junit_file import JunitError, read_junit
from metricgate.models.model_test import spell_test

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(text: str | bytes) -> Path:
        path = tmp_path / "junit.xml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write_file


def suite(cases: str) -> str:
    return f'<?xml version="1.0"?><testsuites><testsuite name="pytest">{cases}</testsuite></testsuites>'


def outcomes(path: Path) -> dict[str, tuple[str, str]]:
    return {test.name: (test.outcome, test.message) for test in read_junit(path)}


def test_each_outcome_of_pytest_is_read(write: Write) -> None:
    path = write(
        suite(
            '<testcase classname="t.m" name="test_a" time="0.1" />'
            '<testcase classname="t.m" name="test_b"><failure message="assert 1 == 2">trace\nback</failure></testcase>'
            '<testcase classname="t.m" name="test_c"><error message="failed on setup">x</error></testcase>'
            '<testcase classname="t.m" name="test_d"><skipped type="pytest.xfail" message="known" /></testcase>'
            '<testcase classname="t.m" name="test_e[a-1]"><system-out>hello</system-out></testcase>'
            '<testcase classname="" name="t.broken"><error message="collection failure">E</error></testcase>'
        )
    )

    assert outcomes(path) == {
        "t.m::test_a": ("passed", ""),
        "t.m::test_b": ("failed", "assert 1 == 2"),
        "t.m::test_c": ("failed", "failed on setup"),
        "t.m::test_d": ("skipped", "known"),
        "t.m::test_e[a-1]": ("passed", ""),
        "t.broken": ("failed", "collection failure"),
    }


def test_other_tools_are_read_too(write: Write) -> None:
    path = write(
        '<testsuite name="jest"><testsuite name="inner">'
        '<testcase classname="Model answers" name="Model answers yes" file="test/model.js" line="12">'
        "<failure>\n  expected yes\n  at x</failure></testcase></testsuite>"
        '<testcase name="gtest" status="notrun" classname="M" />'
        '<testcase name="flaky"><failure message="once"/><skipped/></testcase></testsuite>'
    )

    first, second, third = read_junit(path)
    assert (first.name, first.message, first.file, first.line) == (
        "Model answers::Model answers yes",
        "expected yes",
        "test/model.js",
        12,
    )
    assert (second.outcome, third.outcome) == ("skipped", "failed")


def test_a_test_cannot_hide_behind_another_of_its_name(write: Write) -> None:
    path = write(suite('<testcase name="a"/><testcase name="a"><failure/></testcase><testcase name="a"/>'))

    assert outcomes(path) == {"a": ("passed", ""), "a#2": ("failed", ""), "a#3": ("passed", "")}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        ("<html><body>404</body></html>", "starts with <html>"),
        ("not xml", "is not XML"),
        (suite("<testcase name='a'>"), "is not XML"),
        (suite(""), "names no test"),
        (suite("<x>" * 60 + "</x>" * 60), "nested more than 50"),
        (suite("<testcase name='a'/>" * 5001), "more than 5,000 tests"),
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><testsuite/>', "document type"),
        ('<!DOCTYPE l [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><testsuites>&b;</testsuites>', "document type"),
        ("<!DOCTYPE testsuites><testsuites/>", "document type"),
        (b"\xff\xfe\x00", "is not XML"),
    ],
)
def test_what_is_not_junit_xml_is_refused(write: Write, text: str | bytes, problem: str) -> None:
    with pytest.raises(JunitError, match=problem):
        read_junit(write(text))


def test_a_file_that_is_too_long_is_not_parsed(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metricgate.model_tests.junit_file.MAX_BYTES", 100)

    with pytest.raises(JunitError, match="more than 100"):
        read_junit(write(suite("<testcase name='a'/>")))


def test_long_names_and_messages_are_cut(write: Write) -> None:
    (test,) = read_junit(write(suite(f'<testcase name="{"n" * 9000}"><failure message="{"m" * 9000}"/></testcase>')))

    assert (len(test.name), len(test.message)) == (500, 500)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tests.model.test_m::test_the_risk_rises", "the risk rises"),
        ("tests.model.test_m.TestRisk::test_rises[two year]", "rises [two year]"),
        ("Model answers::says yes", "says yes"),
        ("tests.model.test_m", "tests.model.test_m"),
        ("a::", "a::"),
    ],
)
def test_a_name_is_spelt_in_words(name: str, words: str) -> None:
    assert spell_test(name) == words
