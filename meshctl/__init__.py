"""The `mesh` command: the library's program previewed, applied and looked at from a terminal."""
