"""What istiod, its agents and Envoy check of a cluster's `cacerts`, checked before anything is created.

Pure, and the clock is an argument. Owns no certificate and no decision about one: it reads texts and says what is wrong
with them. Never quotes a key, nor a text that could be one. `cryptography` is imported when the first certificate is
looked at, and not before: it costs a tenth of a second.

As strict as these, and no stricter; what works and will be regretted is a warning:
- istiod: security/pkg/pki/util/keycertbundle.go (`Verify`), crypto.go, pilot/pkg/bootstrap/istio_ca.go; what it rests
  on is Go's crypto/x509 `Certificate.Verify`;
- Envoy: the chain `leaf, cert-chain.pem` against `root-cert.pem` by BoringSSL, once as a server and once as a client;
- ztunnel: rustls, which knows fewer algorithms.
"""

from mesh_components.topology.certificates.bundle import Bundle, Expected, Problem, Signer
from mesh_components.topology.certificates.verify import (
    bundle_problems,
    problems,
    root_problems,
    server_problems,
    signer_problems,
)

__all__ = [
    "Bundle",
    "Expected",
    "Problem",
    "Signer",
    "bundle_problems",
    "problems",
    "root_problems",
    "server_problems",
    "signer_problems",
]
