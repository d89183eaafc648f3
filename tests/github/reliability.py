"""Runs every scenario, and writes docs/reliability.md: ``python -m tests.github.reliability``."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from metricgate.models.outcome import Verdict
from tests.github.fake import FakeGitHub
from tests.github.job import HEAD, Job, make_chart, make_report
from tests.github.other_faults import OTHER_FAULTS
from tests.github.scenarios import Scenario, all_scenarios
from tests.github.state import BOT, Comment

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
MAX_WAIT_S = 120
COLUMNS = ("Fault", "Where", "Comments", "Check", "Answer in the summary", "Waited")

INTRODUCTION = """\
# What happens when GitHub does not answer

MetricGate publishes a verdict to GitHub, and GitHub sometimes fails. Each row is one fault, injected into a stateful
stand-in for GitHub's API that checks every request and response against GitHub's own description (`tests/github/`); a test runs each of
them and compares the outcome with its row. `python -m tests.github.reliability` writes this page.

- Nothing is posted twice: POST is repeated only after looking whether it was done. PATCH, PUT, DELETE and GET are repeated.
- Job summary, annotation and outputs are written before GitHub is asked; links and notices are added afterwards.
- A request ends after 15 seconds, even where its answer comes a byte at a time, and publishing there after two minutes,
  even where every request succeeds. All waiting together ends after two minutes; a longer rate limit is not waited for.
- A renamed repository is followed, on the same server only.
- Whatever fails, the exit code is the verdict's. A file of the runner that cannot be written costs a line in the log.

What cannot be answered: a runner that is lost, or a container that is killed, leaves the check in progress. The job
itself then fails, which is why the job is what a branch rule should require.
"""


OTHERS = """\
## Faults of the machine, of other services and of files
"""


@dataclass(frozen=True)
class Result:
    """What stood in the end."""

    comments: int
    posts: int
    checks: int
    pictures: bool
    conclusion: str
    summary: bool
    annotated: bool
    waited_s: float
    notices: tuple[str, ...]

    @property
    def published(self) -> str:
        return ", ".join(
            what
            for what, there in (
                ("comment", self.comments == 1),
                ("check", self.conclusion == "failure"),
                ("pictures", self.pictures),
            )
            if there
        )

    def is_survived(self, scenario: Scenario) -> bool:
        """Nothing twice, an answer somewhere, everything there that this fault leaves possible, and in time."""
        return (
            self.comments <= 1
            and self.posts <= scenario.runs
            and self.checks <= 1
            and self.summary == (scenario.unwritable != "GITHUB_STEP_SUMMARY")
            and self.annotated
            and self.published == scenario.published
            and (self.notices != () or self.published.startswith("comment, check"))
            and (self.notices != () or self.pictures == scenario.pictures)
            and self.waited_s <= MAX_WAIT_S
        )


def run_scenario(scenario: Scenario, folder: Path) -> Result:
    report = make_report(Verdict.FAILED, charts=(make_chart(),) if scenario.pictures else ())
    with FakeGitHub().serve() as fake:
        pull_request = fake.open_pull_request(7, HEAD)
        if scenario.commented_before:
            pull_request.comments.append(Comment(1, BOT, "<!-- metricgate:default -->\nolder"))
        scenario.prepare(fake)
        job = Job(fake, folder)
        if scenario.unwritable:
            Path(job.environ[scenario.unwritable]).mkdir()
        published = job.publish(report, inputs=scenario.inputs, timeout_s=scenario.timeout_s)
        ours = [one for one in pull_request.comments if one.body.startswith("<!-- metricgate:default -->")]
        checks = fake.checks(HEAD)
        return Result(
            comments=sum("Blocked" in one.body for one in ours) if len(ours) == 1 else len(ours),
            posts=fake.writes.count("POST /repos/acme/churn/issues/7/comments"),
            checks=len(checks),
            pictures=any("<picture>" in one.body for one in ours),
            conclusion=str(checks[0].conclusion or "in progress") if checks else "none",
            summary="Blocked" in job.read("GITHUB_STEP_SUMMARY")
            if scenario.unwritable != "GITHUB_STEP_SUMMARY"
            else False,
            annotated=any(line.startswith("::error ") for line in job.log),
            waited_s=sum(job.clock.sleeps),
            notices=published.notices,
        )


def draw_row(scenario: Scenario, result: Result) -> str:
    summary = "yes" if result.summary else "no"
    cells = (
        scenario.fault,
        scenario.where,
        str(result.comments),
        result.conclusion,
        summary,
        f"{result.waited_s:.0f} s",
    )
    return f"| {' | '.join(cells)} |"


def draw_others() -> tuple[str, ...]:
    rows = (f"| {one.fault} | {one.answer} | `{one.test}` |" for one in OTHER_FAULTS)
    head = ("| Fault | What happens | Shown by |", "|---|---|---|")
    return ("", OTHERS, f"**{len(OTHER_FAULTS)} more, each with its test.**", "", *head, *rows, "")


def main() -> None:
    rows, survived = [], 0
    for scenario in all_scenarios():
        with tempfile.TemporaryDirectory() as folder:
            result = run_scenario(scenario, Path(folder))
        survived += result.is_survived(scenario)
        rows.append(draw_row(scenario, result))
    head = [f"| {' | '.join(COLUMNS)} |", "|---|---|--:|---|---|--:|"]
    count = f"**{len(rows)} faults tried, {survived} survived, {len(rows) - survived} lost.**"
    DOCUMENT.write_text("\n".join((INTRODUCTION, count, "", *head, *rows, *draw_others())), encoding="utf-8")
    print(count)  # noqa: T201  # a command's answer


if __name__ == "__main__":
    main()
