"""Control planes: the official charts rendered into typed objects, for every role that a cluster can play."""
