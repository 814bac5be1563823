"""Writes the modules of `mesh_components/istio` from Istio's CRDs: `make istio-types CRDS=<file>`."""
