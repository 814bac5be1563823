"""The components for programs in other languages: their names and types there, and the host that makes them.

Nothing here decides anything of a mesh. The schema follows from the arguments that Python programs use, and what
arrives becomes the same arguments.
"""
