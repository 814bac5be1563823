"""`mesh diff`: two states of a document, and what the way from one to the other does to the mesh.

`side.py` reads a side and foresees what it leads to; `compare.py` tells what differs, `findings.py` what is found anew,
`risks.py` what a reviewer must know. `review.py` puts them together, as plain data; `text.py`, `markdown.py` and
`jsontext.py` write it down. Nothing here asks a cluster.
"""
