"""`mesh check`: whether a mesh is as its document says, and works.

Gathering (`gather.py` and what it uses) asks clusters and judges nothing. Judging (`rules/`) is pure: facts in, results
out; so rules are tested without a server, and other programs may hand them facts of their own.
"""
