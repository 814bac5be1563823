"""What a cluster of the lab proves itself with: its authority, serving certificate, token key and administrator."""

import base64
import datetime
import ipaddress
import json
import secrets
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from meshctl.lab.files import write_private
from meshctl.lab.state import Cluster

LIFETIME = datetime.timedelta(days=365)
NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


def write_credentials(folder: Path, cluster: Cluster) -> None:
    """Write what a cluster proves itself with, and its kubeconfig; or keep them if they are there.

    The kubeconfig comes last: where it is, the rest is whole.
    """
    if (folder / "kubeconfig").exists():
        return
    authority_key, server_key, accounts_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    authority = _authority(cluster.name, authority_key)
    authority_pem, token = _pem(authority), secrets.token_urlsafe(32)
    write_private(folder / "ca.crt", authority_pem)
    write_private(folder / "ca.key", _key_pem(authority_key))
    write_private(folder / "server.crt", _pem(_serving(cluster, server_key, authority, authority_key)))
    write_private(folder / "server.key", _key_pem(server_key))
    write_private(folder / "accounts.key", _key_pem(accounts_key))
    write_private(folder / "tokens.csv", f'{token},lab-admin,lab-admin,"system:masters"\n')
    write_private(folder / "kubeconfig", _kubeconfig(cluster, authority_pem, token))


def _authority(name: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    subject = _subject(f"mesh lab {name}")
    usage = _usage(signs_certificates=True)
    return (
        _certificate(subject, subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _serving(
    cluster: Cluster, key: ec.EllipticCurvePrivateKey, authority: x509.Certificate, signer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    service = next(
        ipaddress.IPv4Network(cluster.service_range).hosts()
    )  # of `kubernetes.default`, always the first one
    addresses: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.IPAddress(service)]
    return (
        _certificate(_subject("kube-apiserver"), authority.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([*map(x509.DNSName, NAMES), *addresses]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=issuer,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - datetime.timedelta(hours=1),
        not_valid_after=now + LIFETIME,
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])  # 64 characters: the limit of X.520


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    """SEC 1, which kube-apiserver takes both for signing tokens and for checking them."""
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _kubeconfig(cluster: Cluster, authority: str, token: str) -> str:
    """As JSON, which is YAML too, and leaves no doubt that a cluster named `y`, `no` or `1e3` has a name."""
    name = cluster.name
    data = base64.b64encode(authority.encode()).decode()
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": cluster.server, "certificate-authority-data": data}}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return json.dumps(document, indent=2) + "\n"
