"""Signed statements: DSSE envelopes, alone or in a Sigstore bundle, verified with a public key.

The payload is read from the bytes whose signature was verified, and from nothing else.
https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
"""

import base64
import binascii
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from metricgate.errors import ConfigurationError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_BYTES = 16 << 20
PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
_HASHES: dict[str, hashes.HashAlgorithm] = {"secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384()}


class ProofError(ConfigurationError):
    """A statement that proves nothing: unsigned, about another file, too old, or unreadable."""

    usual_topic = "the-model-is-not-proven"


def load_key(path: Path) -> PublicKey:
    """Return a public key from a PEM file.

    Raises
    ------
    ProofError
        If it is none, or of another kind than ECDSA (P-256, P-384) and Ed25519.
    """
    try:
        key = load_pem_public_key(read_bytes(path, "key"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _refuse_key(path) from error
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _HASHES:
        return key
    raise _refuse_key(path)


def _refuse_key(path: Path) -> ProofError:
    return ProofError(
        f"{path} is not a usable public key.",
        expected="a PEM file with a public key: ECDSA on P-256 or P-384, or Ed25519.",
        fix="write the public half of the key that signs, for example with `openssl pkey -pubout`.",
    )


def read_bytes(path: Path, what: str) -> bytes:
    """Return the content of a file that a person named."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ProofError(
                f"The {what} {path} is longer than {MAX_BYTES:,} bytes.",
                expected="a file that a signing tool wrote.",
                fix="correct the path.",
            )
        return path.read_bytes()
    except OSError as error:
        raise ProofError(
            f"The {what} {path} cannot be read: {error.strerror}.",
            expected="an existing file.",
            fix="correct the path.",
        ) from error


def verify_bundle(path: Path, key: PublicKey) -> list[dict[str, Any]]:
    """Return the statements of a bundle file whose signatures the key made; a file may have one on each line.

    Raises
    ------
    ProofError
        If there is none.
    """
    envelopes = list(_read_envelopes(path))
    statements = [statement for envelope in envelopes if (statement := _verify(envelope, key)) is not None]
    if not statements:
        raise ProofError(
            f"{path} has no statement that this key signed ({len(envelopes)} envelopes).",
            expected="a DSSE envelope or a Sigstore bundle with an in-toto statement, signed by the given key.",
            fix="do not deploy. Check that bundle and key belong together; otherwise the bundle was altered.",
        )
    return statements


def _read_envelopes(path: Path) -> Iterator[dict[str, Any]]:
    for document in _read_documents(path):
        envelope = document.get("dsseEnvelope", document)
        if isinstance(envelope, dict) and isinstance(envelope.get("signatures"), list):
            yield envelope


def _read_documents(path: Path) -> Iterator[dict[str, Any]]:
    text = read_bytes(path, "bundle")
    try:
        found = [json.loads(text)]
    except (ValueError, RecursionError):
        try:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError) as error:
            raise ProofError(
                f"{path} is not JSON.",
                expected="a DSSE envelope, a Sigstore bundle, or one of them on each line.",
                fix="give the file that the signing step wrote.",
            ) from error
    yield from (document for document in found if isinstance(document, dict))


def _verify(envelope: dict[str, Any], key: PublicKey) -> dict[str, Any] | None:
    """Return the statement of an envelope; None where the key did not sign it, or it holds something else."""
    payload = _decode(envelope.get("payload"))
    if payload is None or envelope.get("payloadType") != PAYLOAD_TYPE:
        return None
    signed = _encode_for_signing(PAYLOAD_TYPE, payload)
    signatures = [_decode(entry.get("sig")) for entry in envelope["signatures"] if isinstance(entry, dict)]
    if not any(signature is not None and _is_signed(key, signature, signed) for signature in signatures):
        return None
    try:
        statement = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return statement if isinstance(statement, dict) else None


def _encode_for_signing(kind: str, payload: bytes) -> bytes:
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


def _decode(text: Any) -> bytes | None:
    if not isinstance(text, str):
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _is_signed(key: PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, signed)
        else:
            key.verify(signature, signed, ec.ECDSA(_HASHES[key.curve.name]))
    except InvalidSignature:
        return False
    return True
