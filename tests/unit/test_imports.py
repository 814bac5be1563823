"""What `import mesh_components` brings along: nothing that its user did not ask for."""

from __future__ import annotations

import subprocess
import sys

from tests.support.graph import ROOT

WATCHED = """
import sys
asked = []
class Watch:
    def find_spec(self, name, path=None, target=None):
        asked.append(name)
sys.meta_path.insert(0, Watch())
import mesh_components
{rest}
print(*asked)
"""


def imported(rest: str = "") -> set[str]:
    """The modules that are looked for, installed or not."""
    code = WATCHED.format(rest=rest)
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(found.stdout.split())


def test_the_package_alone_imports_no_sdk() -> None:
    assert not {name.partition(".")[0] for name in imported()} & {
        "pulumi",
        "pulumi_kubernetes",
        "pulumi_tls",
        "pulumi_gcp",
    }


def test_google_s_sdk_comes_with_its_clusters_alone() -> None:
    others = "for name in mesh_components.__all__:\n  if not name.startswith('Gke'): getattr(mesh_components, name)"
    found = imported(others)
    assert "pulumi_tls" in found
    assert "pulumi_gcp" not in found
    assert "pulumi_gcp" in imported("mesh_components.GkeCluster")


def test_a_mesh_of_attached_clusters_is_built_without_google_s_sdk() -> None:
    program = """
from tests.support.meshes import document, federation
federation(document("east", "west"), preview=True)
federation(document("east", "west"))
"""
    found = imported(program)
    assert "pulumi_kubernetes" in found
    assert "pulumi_gcp" not in found


def test_no_component_asks_for_cryptography_before_it_looks_at_a_certificate() -> None:
    """It costs a tenth of a second, and a mesh whose root is generated has no certificate to look at."""
    found = imported("for name in mesh_components.__all__: getattr(mesh_components, name)")
    assert "cryptography" not in found
