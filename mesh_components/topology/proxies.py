"""What every proxy of the mesh is told of itself, wherever it runs. Pure: plain data in, plain data out."""

from __future__ import annotations

from mesh_components.topology import names

DNS_CAPTURE = "ISTIO_META_DNS_CAPTURE"


def metadata(*, dns_capture: bool, multi_root: bool) -> dict[str, str]:
    """`proxyMetadata` of the mesh's defaults."""
    wanted = {DNS_CAPTURE: dns_capture, names.MULTI_ROOT_PROXY: multi_root}
    return {key: "true" for key, on in wanted.items() if on}
