"""`mesh graph`: the picture of a mesh, from its document alone.

`model.py` says what is in the picture, as plain data; then there is one writer a format: `svg.py` (with `layout.py`,
where things are, `routes.py`, which lines there are, and `wires.py`, how lines run), `mermaid.py`, `jsontext.py`. A
writer takes the model and returns text. `sharing.py` tells which links may be one line. `scene.py` adds what is
behind the parts of the picture, for the page that `page/` writes. `commands.py` is for people.
"""
