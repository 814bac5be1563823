"""`python -m mesh_components.provider` prints the schema of the package."""

from __future__ import annotations

import json
import sys

from mesh_components.provider.schema import package

if __name__ == "__main__":
    json.dump(package(), sys.stdout, indent=2)
    sys.stdout.write("\n")
