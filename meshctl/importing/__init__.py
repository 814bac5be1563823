"""`mesh import`: reads a running mesh, and writes the document that leads to it.

`read.py` asks the API servers, and reads no value of a Secret; `write.py` makes the document of what they said, without
asking anybody; `command.py` is for people.
"""
