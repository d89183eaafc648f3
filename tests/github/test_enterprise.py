"""GitHub Enterprise Server: another address, another path, a certificate of one's own."""

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from metricgate.models.outcome import Verdict
from metricgate.publish.github.client import GitHubClient
from metricgate.publish.github.response import GitHubError
from tests.github.fake import REPOSITORY, TOKEN, FakeGitHub
from tests.github.faults import Fault
from tests.github.job import HEAD, Job, make_candidate, make_chart, make_report

DAY = dt.timedelta(days=1)


def write_certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    alternatives = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - DAY, now + DAY)
    certificate = builder.add_extension(alternatives, critical=False).sign(key, hashes.SHA256())
    file = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file


def make_context(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


def test_its_api_path_and_its_addresses_are_used_everywhere(tmp_path: Path) -> None:
    report = make_report(Verdict.FAILED, candidate=make_candidate(HEAD), charts=(make_chart(),))
    with FakeGitHub(prefix="/api/v3").serve() as fake:
        fake.open_pull_request(7, HEAD)

        published = Job(fake, tmp_path).publish(report, server_url="https://ghe.example:8443")

        assert published.notices == ()
        body = fake.comments(7)[0].body
        assert f"https://ghe.example:8443/acme/churn/commit/{HEAD}" in body
        assert "https://ghe.example:8443/acme/churn/blob/" in body
        assert "https://github.com" not in body


def test_comments_on_later_pages_are_found_below_its_path(tmp_path: Path) -> None:
    with FakeGitHub(prefix="/api/v3").serve() as fake:
        pull_request = fake.open_pull_request(7, HEAD)
        pull_request.add_comments(150)

        for _ in range(2):
            Job(fake, tmp_path).publish(make_report())

        assert sum(one.body.startswith("<!-- metricgate:") for one in fake.comments(7)) == 1


def test_a_certificate_of_ones_own_is_trusted_through_requests_ca_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = write_certificate(tmp_path)
    with FakeGitHub().serve(make_context(certificate)) as fake:
        fake.open_pull_request(7, HEAD)
        job = Job(fake, tmp_path)

        refused = job.publish(make_report())
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        accepted = job.publish(make_report())

        assert refused.failed
        assert "SSLError" in refused.notices[0]
        assert accepted.notices == ()


def test_an_artifact_is_not_fetched_over_a_connection_that_is_not_encrypted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = write_certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with FakeGitHub().serve(make_context(certificate)) as fake:
        fake.fail("/zip$", Fault("answer", 302, headers={"Location": "http://127.0.0.1:9/file"}))
        client = GitHubClient(token=TOKEN, api_url=fake.url, repository=REPOSITORY)

        with pytest.raises(GitHubError, match="unencrypted address"):
            client.download(client.path("actions/artifacts", 1, "zip"), 1000)
