"""Signs pictures, sounds and videos with a self-made certificate, as a camera or a generator would."""

from __future__ import annotations

import datetime
import io
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

c2pa = pytest.importorskip("c2pa", reason='no C2PA library: pip install "crossmedia[trust]"')

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: E402

TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@dataclass(frozen=True)
class Holder:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


@cache
def authority() -> Holder:
    """Who certifies the signer."""
    return _certified("Test Authority", None)


@cache
def signer() -> Holder:
    return _certified("Ada Tester", authority())


def _certified(name: str, by: Holder | None) -> Holder:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests")]
    )
    issuer, signing = (by.certificate.subject, by.key) if by else (subject, key)
    begin = datetime.datetime(2024, 1, 1)
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + datetime.timedelta(days=36_500))
        .add_extension(x509.BasicConstraints(by is None, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(by is not None, False, False, False, False, by is None, by is None, False, False),
            critical=True,
        )
    )
    if by:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(usage, critical=False)
    return Holder(builder.sign(signing, hashes.SHA256()), key)


def signed(
    data: bytes, mime: str, source_type: str | None = "trainedAlgorithmicMedia", parent: bytes | None = None
) -> bytes:
    """A file's bytes with a manifest that says how it was made; of `parent`, a signed file of the same kind, if
    given."""
    key = signer().key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    info = c2pa.C2paSignerInfo(b"es256", signer().pem + authority().pem, key, None)
    action: dict[str, Any] = {"action": "c2pa.opened" if parent else "c2pa.created"}
    if source_type and not parent:
        action["digitalSourceType"] = TYPES + source_type
    manifest = {
        "claim_generator_info": [{"name": "TestPainter", "version": "1"}],
        "title": "a test",
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [] if parent else [action]}}],
    }
    settings = {
        "verify": {"verify_after_sign": False, "verify_trust": False},
        "builder": {"thumbnail": {"enabled": False}},
    }
    written = io.BytesIO()
    with c2pa.Context.from_dict(settings) as context, c2pa.Builder(manifest, context=context) as builder:
        if parent:
            builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
            builder.add_ingredient({"title": "before", "relationship": "parentOf"}, mime, io.BytesIO(parent))
        builder.sign(c2pa.Signer.from_info(info), mime, io.BytesIO(data), written)
    return written.getvalue()
