"""The plugin: the components of this library for programs in other languages."""

from __future__ import annotations

from pathlib import Path

from mesh_components.provider.host import serve

if __name__ == "__main__":
    serve(Path(__file__).with_name("schema.json"))
