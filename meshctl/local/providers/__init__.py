"""The resource providers that the local engine knows: Kubernetes, TLS and Helm. It knows no others, and says so."""
