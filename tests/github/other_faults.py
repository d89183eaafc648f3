"""Faults of the machine, of other services and of files, each with the test that injects it."""

from dataclasses import dataclass

ACCESS = "tests/revisions/test_access.py"
CLIENT = "tests/services/test_http_client.py"
DEADLINES = "tests/github/test_deadlines.py"
KILLED = "tests/execution/test_killed.py"
LIMITS = "tests/predictions/test_reading_limits.py"
RUNNER = "tests/e2e/test_runner_files.py"
OWNER = "tests/execution/test_owner.py"
CONTAINER = "tests/container/test_action.py"


@dataclass(frozen=True)
class OtherFault:
    fault: str
    answer: str
    test: str


OTHER_FAULTS = (
    OtherFault(
        "GitHub answers each request, but slowly",
        "publishing ends after two minutes; summary and outputs stood before",
        f"{DEADLINES}::test_requests_that_succeed_slowly_end_in_time_too",
    ),
    OtherFault(
        "an artifact's download comes a byte at a time",
        "given up within the time",
        f"{DEADLINES}::test_a_download_that_drips_is_given_up",
    ),
    OtherFault(
        "another service drips, hangs or never sends a header",
        "the call ends at its deadline",
        f"{CLIENT}::test_the_deadline_holds_although_bytes_keep_coming",
    ),
    OtherFault(
        "another service redirects",
        "refused; nothing is sent elsewhere",
        f"{CLIENT}::test_a_redirect_is_not_followed",
    ),
    OtherFault(
        "another service resets the connection, or sends half of its answer",
        "repeated only where that does no harm",
        f"{CLIENT}::test_a_broken_answer_is_asked_for_again_only_where_that_does_no_harm",
    ),
    OtherFault(
        "none of the runner's files can be written",
        "a line in the log each, and the verdict's exit code",
        f"{RUNNER}::test_the_verdict_keeps_its_exit_code",
    ),
    OtherFault(
        "an input cannot be used, and the summary cannot be written",
        "exit code 2 and no traceback",
        f"{RUNNER}::test_an_input_that_cannot_be_used_keeps_its_exit_code",
    ),
    OtherFault(
        "`.git/config` of the checkout names programs",
        "none of them is shown the token",
        f"{ACCESS}::test_no_program_of_the_checkouts_configuration_is_shown_the_token",
    ),
    OtherFault(
        "the checkout has hooks and a file watcher",
        "MetricGate's own Git commands do not run them",
        f"{ACCESS}::test_hooks_and_file_watchers_of_the_checkout_have_no_part_in_our_commands",
    ),
    OtherFault(
        "the origin is not below the server's address",
        "the token is not offered",
        f"{ACCESS}::test_only_an_http_address_below_the_servers_is_offered_the_token",
    ),
    OtherFault(
        "60 million rows of predictions in a small Parquet file",
        "refused before they are read, with what they would take",
        f"{LIMITS}::test_sixty_million_rows_in_a_small_file_are_refused_at_once",
    ),
    OtherFault(
        "reading the predictions takes longer than the time limit",
        "a time-limit error",
        f"{LIMITS}::test_a_time_limit_ends_a_query",
    ),
    OtherFault(
        "a signal arrives while predictions are read",
        "the run ends as cancelled",
        f"{LIMITS}::test_a_signal_ends_a_query",
    ),
    OtherFault(
        "a stage is killed for lack of memory",
        "said so, with what helps",
        f"{KILLED}::test_a_stage_that_was_killed_is_said_to_lack_memory",
    ),
    OtherFault(
        "DVC's process is killed for lack of memory",
        "said so, with what helps",
        f"{KILLED}::test_a_worker_that_was_killed_is_said_to_lack_memory",
    ),
    OtherFault(
        "the user id has no name and no home",
        "the same verdict",
        f"{OWNER}::test_a_user_without_a_name_and_a_home_is_enough",
    ),
    OtherFault(
        "the container lacks CAP_KILL, and a stage fails",
        "the stage's own error",
        f"{OWNER}::test_without_cap_kill_a_failing_stage_is_what_is_told",
    ),
    OtherFault(
        "the container's root is read-only",
        "exit code 2 with the options that it needs; with them, the same verdict",
        f"{CONTAINER}::test_a_read_only_root_is_told_which_folders_it_needs",
    ),
    OtherFault(
        "predictions are a named pipe, a device, a folder or a broken link",
        "said to be that; nothing is read",
        "tests/execution/test_file_kinds.py::test_with_dvc_each_is_named",
    ),
    OtherFault(
        "a metrics file holds `true`, or names a key twice",
        "an error that names file and key",
        "tests/execution/test_metrics_file.py::test_a_key_that_occurs_twice_is_named_and_neither_value_is_used",
    ),
    OtherFault(
        "`params.yaml`, `vars:` or `dvc.yaml` is broken",
        "the file, the line and what to do",
        "tests/execution/test_pipeline_files.py::test_the_file_the_place_and_the_way_out_are_named",
    ),
    OtherFault(
        "a proxy inspects TLS",
        "packages are installed, if the machine trusts it",
        "tests/execution/test_inspecting_proxy.py::test_uv_trusts_the_authorities_that_the_machine_trusts",
    ),
)
