"""`metricgate verify`: whether exactly this model file passed, by a signed statement. For the step before a deployment."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

EXIT_NOT_PASSED = 1


@click.command(name="verify")
@click.option("--model", type=click.Path(path_type=Path), required=True, help="The file that is to be deployed.")
@click.option("--bundle", type=click.Path(path_type=Path), help="The signed statement: a DSSE envelope or a bundle.")
@click.option("--key", type=click.Path(path_type=Path), help="Public key (PEM) that must have signed it.")
@click.option("--repository", help="OWNER/NAME whose attestation on GitHub must have signed it; needs `gh`.")
@click.option("--workflow", default="", help="With --repository: OWNER/NAME/.github/workflows/FILE that must have.")
@click.option("--ref", default="", help="With --repository: the Git ref it ran on, such as refs/heads/main.")
@click.option("--trusted-root", type=click.Path(path_type=Path), help="With --repository: Sigstore's root, offline.")
@click.option("--max-age", type=click.IntRange(1, 3650), help="How many days ago the model may have been judged.")
def command(  # noqa: PLR0917  click gives them by name
    model: Path,
    bundle: Path | None,
    key: Path | None,
    repository: str | None,
    workflow: str,
    ref: str,
    trusted_root: Path | None,
    max_age: int | None,
) -> int:
    """Exit with 0 only if a signed statement says that exactly this model passed.

    Exit code 1: it was judged, and did not pass. 2: nothing proves anything about this file.
    """
    from metricgate.proof.verified_model import check_statements  # noqa: PLC0415  `--help` stays quick

    if (key is None) == (repository is None):
        raise click.UsageError("Say who must have signed: either --key with --bundle, or --repository.")
    if key is not None:
        from metricgate.proof.envelope import load_key, verify_bundle  # noqa: PLC0415

        if bundle is None:
            raise click.UsageError("--key needs --bundle.")
        if workflow or ref or trusted_root:
            raise click.UsageError("--workflow, --ref and --trusted-root belong to --repository.")
        statements = verify_bundle(bundle, load_key(key))
    else:
        from metricgate.proof.github_attestation import Signer, verify_attestation  # noqa: PLC0415

        signer = Signer(repository=str(repository), workflow=workflow, ref=ref)
        statements = verify_attestation(model, signer, bundle=bundle, root=trusted_root)
    age = None if max_age is None else timedelta(days=max_age)
    found = check_statements(model, statements, now=datetime.now(UTC), max_age=age)
    from metricgate.report.escape import plain_name  # noqa: PLC0415

    told = [f"judged {found.judged:%Y-%m-%d %H:%M} UTC"]
    told += [f"at {plain_name(found.revision)}"] if found.revision else []
    told += [f"accepted by {plain_name(found.accepted_by)}"] if found.accepted_by else []
    verdict = "passed" if found.passed else f"not passed ({plain_name(found.verdict) or 'no verdict'})"
    click.echo(f"{verdict}: {model} (SHA-256 {found.sha256}), {', '.join(told)}")
    return 0 if found.passed else EXIT_NOT_PASSED
