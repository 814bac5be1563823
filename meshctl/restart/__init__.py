"""`mesh restart`: workloads that still run an old proxy are restarted, rolling, when somebody asks for it.

Moving a tag or a label restarts nothing: a running pod keeps the proxy that it was born with
(https://istio.io/latest/docs/setup/upgrade/canary/#data-plane).
"""
