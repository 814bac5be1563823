"""The resource providers that the local engine knows: Kubernetes, TLS, Helm, and those that a program is written with.

It knows no others, and says so.
"""
