"""Where the mesh runs: one component per kind of cluster, each with a provider of its own."""
