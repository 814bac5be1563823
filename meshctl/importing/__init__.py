"""`mesh import`: reads a running mesh, and writes the document that leads to it.

`read.py` asks the API servers, through `asking.py`, and reads no value of a Secret; `write.py` makes the document of
what they said, without asking anybody; `command.py` is for people. Gateways have rooms of their own: `doors.py` is for
the proxy of each, `ways.py` about those between the mesh and the world outside, with `inward.py` and `outward.py` for
what they say. `told.py` reads the values of istiod's chart.
"""
