"""The official Kubernetes client, which only one thread at a time may load.

It imports itself in circles: two threads that begin at two of its modules get half of one. And it shares the files that
it makes of a kubeconfig's certificates before they are full. Whoever imports it, or lets it read a kubeconfig, holds
`LOADING` meanwhile: the local engine, and what Pulumi's host of dynamic providers runs side by side.
"""

from __future__ import annotations

import threading

LOADING = threading.Lock()
