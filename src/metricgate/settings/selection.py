"""Which policy judges: the baseline revision's, so that no pull request sets the bar that it must clear."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from metricgate.errors import ConfigurationError
from metricgate.models.result import Location, Warning_
from metricgate.settings.policy import FILE_NAME, GateSpec, Policy, PredictionsSpec
from metricgate.settings.policy_file import PolicyFile, read_policy, read_policy_file, shorten_value

_CANDIDATE_ORIGIN = f"{FILE_NAME} of the candidate"
JUDGING_SECTIONS = (
    "gates",
    "serving",
    "proof",
    "confidence",
    "release",
    "anchor",
    "on_inconclusive",
    "enforce",
    "reproduce",
)
TELLING_SECTIONS = ("noise", "notify", "retrain", "mlflow")  # cannot decide a verdict
_TOLD_ELSEWHERE = "pipeline.params."  # by the warning of differing parameters
MAX_NAMED = 8
MAX_SHOWN = 36  # characters of a value


@dataclass(frozen=True, kw_only=True)
class PolicyChoice:
    """The policies of a run: ``judging`` decides; each revision's own says where its files are and how they are made.

    ``capped``: the verdict is at best inconclusive. ``proposed``: the candidate's policy where its gates differ.
    """

    judging: Policy
    baseline: Policy
    candidate: Policy
    origin: str
    warnings: tuple[Warning_, ...] = ()
    capped: bool = False
    proposed: Policy | None = None
    is_default: bool = False  # nobody wrote a policy
    is_baseline_borrowed: bool = False  # the baseline has no policy that can be used, and is read by the candidate's
    gate_lines: tuple[int, ...] = ()  # of the judging gates in the candidate's file, where it is the same file

    def name_predictions(
        self, *, candidate: PredictionsSpec | None, baseline: PredictionsSpec | None
    ) -> "PolicyChoice":
        """Return the choice with the columns that scoring wrote for each side; None where a side was not scored."""

        def name(policy: Policy, spec: PredictionsSpec | None) -> Policy:
            return policy if spec is None else policy.model_copy(update={"predictions": spec})

        own, before = name(self.candidate, candidate), name(self.baseline, baseline)
        return replace(
            self,
            judging=own if self.judging == self.candidate else before,
            baseline=before,
            candidate=own,
            proposed=None if self.proposed is None else own,
        )

    def judge_by(self, gates: tuple[GateSpec, ...]) -> "PolicyChoice":
        """Return the choice with other gates, on all sides: nothing proposes or replaces them."""

        def change(policy: Policy) -> Policy:
            return policy.model_copy(update={"gates": gates})

        return replace(
            self,
            judging=change(self.judging),
            baseline=change(self.baseline),
            candidate=change(self.candidate),
            proposed=None,
            gate_lines=(),
        )


def choose_policy(baseline_text: str | None, candidate_text: str | None, *, baseline_name: str) -> PolicyChoice:
    """Choose from the two revisions' files; None where a revision has no such file.

    ``baseline_name`` is the baseline's name for people; empty where there is none.

    Raises
    ------
    ConfigurationError
        If the candidate's file is invalid: its own files could not be found with it.
    """
    written = None if candidate_text is None else read_policy_file(candidate_text, origin=_CANDIDATE_ORIGIN)
    if baseline_text is None:
        return _choose_first(written, baseline_name)
    candidate = written.policy if written else Policy()
    try:
        baseline = read_policy(baseline_text, origin=f"{FILE_NAME} at {baseline_name}")
    except ConfigurationError as error:
        return _replace_invalid(candidate, baseline_name, error)
    own = candidate if written else baseline
    differs = [section for section in JUDGING_SECTIONS if getattr(own, section) != getattr(baseline, section)]
    return PolicyChoice(
        judging=baseline,
        baseline=baseline,
        candidate=own,
        origin=f"{FILE_NAME} at {baseline_name}",
        warnings=(*_policy_changed(differs, written), *_own_sections_changed(baseline, own, written)),
        gate_lines=written.gate_lines if written and candidate_text == baseline_text else (),
        proposed=candidate if differs else None,
    )


def use_policy_file(text: str, baseline_text: str | None, *, path: str, baseline_name: str) -> PolicyChoice:
    """Judge by a working file (``--policy FILE``); the baseline's own file still says where its results are."""
    working = read_policy(text, origin=path)
    baseline = working
    if baseline_text is not None:
        baseline = read_policy(baseline_text, origin=f"{FILE_NAME} at {baseline_name}")
    return PolicyChoice(
        judging=working,
        baseline=baseline,
        candidate=working,
        origin=path,
        is_baseline_borrowed=baseline_text is None,
        warnings=_name_other_policy(baseline, working, path, baseline_name),
    )


def _name_other_policy(before: Policy, working: Policy, path: str, baseline_name: str) -> tuple[Warning_, ...]:
    old, new = _flatten(before.model_dump(mode="json")), _flatten(working.model_dump(mode="json"))
    names = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    if not names:
        return ()
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    text = (
        f"This run is judged by {path}, which differs from {FILE_NAME} at {baseline_name} "
        f"({', '.join(names[:MAX_NAMED])}{more})."
    )
    return (Warning_(code="other_policy", text=text),)


def equalise_parameters(choice: PolicyChoice) -> PolicyChoice:
    """Drop ``pipeline.params`` where the two revisions ask for different ones: equal terms, or none.

    Otherwise a change that adds them would compare three epochs with thirty, and one that edits them could choose.
    """
    if choice.baseline.pipeline.params == choice.candidate.pipeline.params:
        return choice
    text = (
        "This change edits the policy's `pipeline.params`: both revisions were run with the parameters that they have "
        "themselves. The new ones count once they are on both sides."
    )
    return replace(
        choice,
        baseline=_drop_parameters(choice.baseline),
        candidate=_drop_parameters(choice.candidate),
        warnings=(*choice.warnings, Warning_(code="parameters_differ", text=text)),
    )


def _drop_parameters(policy: Policy) -> Policy:
    return policy.model_copy(update={"pipeline": policy.pipeline.model_copy(update={"params": {}})})


def _choose_first(written: PolicyFile | None, baseline_name: str) -> PolicyChoice:
    candidate = written.policy if written else Policy()
    text = f"The baseline has no {FILE_NAME} yet: this once, the gates are the candidate's own."
    return PolicyChoice(
        judging=candidate,
        baseline=candidate,
        candidate=candidate,
        origin=written.origin if written else f"no {FILE_NAME}: default guardrails",
        warnings=(Warning_(code="first_policy", text=text),) if baseline_name and written else (),
        gate_lines=written.gate_lines if written else (),
        is_default=written is None,
        is_baseline_borrowed=True,
    )


def _replace_invalid(candidate: Policy, baseline_name: str, error: ConfigurationError) -> PolicyChoice:
    text = (
        f"{FILE_NAME} at {baseline_name} is invalid ({error.what}) The candidate's own gates are used, "
        "and the verdict is at best undecided, so that a repair can be merged."
    )
    return PolicyChoice(
        judging=candidate,
        baseline=candidate,
        candidate=candidate,
        origin=_CANDIDATE_ORIGIN,
        warnings=(Warning_(code="invalid_baseline_policy", text=text),),
        capped=True,
        is_baseline_borrowed=True,
    )


def replace_unusable(choice: PolicyChoice, *, what: str) -> PolicyChoice:
    """Judge by the candidate's own gates, since the baseline's cannot be judged on the baseline's own predictions."""
    text = (
        f"The gates of {choice.origin} cannot be judged ({what}) The candidate's own gates are used, "
        "and the verdict is at best undecided, so that a repair can be merged."
    )
    return replace(
        choice,
        judging=choice.candidate,
        origin=_CANDIDATE_ORIGIN,
        warnings=(*choice.warnings, Warning_(code="unusable_baseline_policy", text=text)),
        capped=True,
        proposed=None,
    )


def _policy_changed(sections: list[str], written: PolicyFile | None) -> tuple[Warning_, ...]:
    if written is None:
        text = f"This change removes {FILE_NAME}; it is judged by the baseline's policy."
        return (Warning_(code="policy_changed", text=text),)
    if not sections:
        return ()
    text = f"This change edits the policy itself ({', '.join(sections)}); it is judged by the baseline's policy."
    where = Location(path=FILE_NAME, line=written.find_line(sections[0]))
    return (Warning_(code="policy_changed", text=text, location=where),)


def _own_sections_changed(before: Policy, after: Policy, written: PolicyFile | None) -> tuple[Warning_, ...]:
    """Return a warning of each key that says how a revision's own results are made and read, and differs."""
    old, new = _flatten_own(before), _flatten_own(after)
    names = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    if not names:
        return ()
    told = [f"{name} ({_show(old.get(name))} → {_show(new.get(name))})" for name in names[:MAX_NAMED]]
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    text = f"This change edits how its own results are made and read in {FILE_NAME}: {', '.join(told)}{more}."
    where = Location(path=FILE_NAME, line=written.find_line(names[0])) if written else None
    return (Warning_(code="own_policy_changed", text=text, location=where),)


def _flatten_own(policy: Policy) -> dict[str, Any]:
    found = _flatten(policy.model_dump(mode="json", exclude={*JUDGING_SECTIONS, *TELLING_SECTIONS}))
    return {name: value for name, value in found.items() if not name.startswith(_TOLD_ELSEWHERE)}


def _flatten(value: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {name: value}
    parts = [_flatten(part, f"{name}.{key}" if name else str(key)) for key, part in value.items()]
    return {key: part for found in parts for key, part in found.items() if part not in (None, [])}


def _show(value: Any) -> str:
    text = "not set" if value is None else shorten_value(value)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def read_policy_text(path: Path) -> str:
    """Return the text of a policy file; raise ConfigurationError where there is none, or it is not text."""
    return read_text_file(path, what="policy")


def read_text_file(path: Path, *, what: str) -> str:
    """Return the text of a file that a person named; ``what`` is its name in the message."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"The {what} {path} cannot be read: {getattr(error, 'strerror', None) or error}.",
            expected="an existing file, text in UTF-8.",
            fix="Correct the path.",
            topic="the-policy-cannot-be-read",
        ) from error
