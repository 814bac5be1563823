"""Make a root and two intermediates; what leaves the program is what everyone may see."""

import pulumi

from mesh_components import RootCA, RootCAArgs

ca = RootCA("trust", RootCAArgs(clusters=("east", "west"), organization="example", protect=False))

pulumi.export("fingerprint", ca.fingerprint)
pulumi.export("expires", ca.expires)
pulumi.export("eastCertificate", ca.bundles["east"].ca_cert)
pulumi.export("westCertificate", ca.bundles["west"].ca_cert)
pulumi.export("root", ca.root_cert_pem)
