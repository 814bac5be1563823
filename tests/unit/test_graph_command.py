"""`mesh graph` as a person uses it, and its Mermaid."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given

from meshctl.cli import main
from meshctl.graph import mermaid
from tests.support.drawings import MESHES, drawing, stack
from tests.support.graph import ROOT


def mesh_graph(*words: str, cwd: Path = ROOT) -> Result:
    return CliRunner().invoke(main, ["graph", "--cwd", str(cwd), *words])


def project(folder: Path, config: dict[str, Any]) -> Path:
    (folder / "Pulumi.yaml").write_text("name: mesh\nruntime: python\n")
    (folder / "__main__.py").write_text("raise SystemExit('the program is not run')\n")
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"encryptionsalt": "v1:x:y", "config": config}))
    return folder


class TestCommand:
    def test_mermaid_for_a_pull_request_when_nothing_is_said(self) -> None:
        found = mesh_graph("--stack", "local")
        assert found.exit_code == 0
        head = "".join(found.stdout.splitlines(keepends=True)[:9])
        assert head.startswith("flowchart LR\n")
        assert f"$ mesh graph --stack local | head -9\n{head}```\n" in (ROOT / "docs/graph.md").read_text()

    @pytest.mark.parametrize("ending", ["svg", "json", "mmd", "html"])
    def test_the_ending_of_the_file_tells_the_format(self, ending: str, tmp_path: Path) -> None:
        path = tmp_path / "new" / f"mesh.{ending}"
        found = mesh_graph("--stack", "local", "--output", str(path))
        assert (found.exit_code, found.output) == (0, "")
        check: Any = {"svg": ET.fromstring, "json": json.loads, "mmd": re.compile("flowchart").match}.get(
            ending, re.compile("<!doctype html>").match
        )
        assert check(path.read_text()) is not None

    def test_what_is_asked_for_wins_over_the_ending(self, tmp_path: Path) -> None:
        path = tmp_path / "mesh.txt"
        assert mesh_graph("--stack", "local", "--format", "svg", "--output", str(path)).exit_code == 0
        assert path.read_text().startswith("<svg")

    def test_neither_kubeconfigs_nor_a_passphrase_are_needed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
        clusters = [{"name": name, "network": name} for name in ("east", "west")]
        config = {"mesh:mesh": {"id": "mesh1", "clusters": clusters}, "mesh:key": {"secure": "v1:abc:def"}}
        found = mesh_graph("--stack", "dev", cwd=project(tmp_path, config))
        assert found.exit_code == 0, found.output
        assert "east (primary)" in found.stdout

    def test_a_document_with_errors_is_not_drawn(self, tmp_path: Path) -> None:
        clusters = [{"name": name, "network": "n", "role": "remote"} for name in ("east", "west")]
        folder = project(tmp_path, {"mesh:mesh": {"id": "mesh1", "clusters": clusters}})
        found = mesh_graph("--stack", "dev", cwd=folder)
        assert found.exit_code == 1
        assert "MESH403" in found.stderr
        assert found.stdout == ""

    def test_a_stack_that_is_not_there_is_told(self) -> None:
        found = mesh_graph("--stack", "elsewhere")
        assert found.exit_code == 1
        assert "there is no stack 'elsewhere'" in found.stderr

    def test_a_file_that_cannot_be_written_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        found = mesh_graph("--stack", "local", "--output", str(tmp_path / "file" / "mesh.svg"))
        assert found.exit_code == 1
        assert "cannot be written" in found.stderr


NODE = r"[A-Za-z]\w*"
LINE = re.compile(rf"""  ({NODE}) (?:-->|-\.->|==>|<-->)(?:\|[^|]+\|)? ({NODE})""")


class TestMermaid:
    @given(MESHES)
    def test_every_link_joins_nodes_that_are_there(self, document: dict[str, Any]) -> None:
        text = mermaid.write(drawing(document))
        nodes = set(re.findall(rf"^ +({NODE})[\[(]", text, re.MULTILINE))
        links = [LINE.fullmatch(line) for line in text.splitlines() if re.search(r" (-->|-\.->|==>|<-->)", line)]
        assert links
        for link in links:
            assert link is not None
            assert set(link.groups()) <= nodes
        assert text.count("subgraph") == len(re.findall(r"^ +end$", text, re.MULTILINE))

    def test_a_name_is_text_and_never_a_word_of_mermaid(self) -> None:
        clusters = [{"name": "end", "network": "graph"}, {"name": "click", "network": "style"}]
        text = mermaid.write(drawing({"id": "mesh1", "clusters": clusters}))
        assert 'subgraph c0["end (primary)"]' in text
        assert not re.search(r"^ *(click|style) ", text, re.MULTILINE)

    def test_where_all_are_linked_they_meet_in_the_middle(self) -> None:
        """Twenty primaries would otherwise be a picture of 760 lines."""
        clusters = [{"name": f"cluster{n}", "network": f"network{n}"} for n in range(20)]
        text = mermaid.write(drawing({"id": "mesh1", "clusters": clusters}))
        assert text.count("-.->") == text.count("==>") == 40

    def test_where_some_are_they_do_not(self) -> None:
        text = mermaid.write(stack("external-control-plane"))
        assert 'c0_istiod -.->|"istio-kubeconfig"| c1_server' in text
        assert 'c0_istiod -.->|"remote secret"| c2_server' in text
        assert 'c2_sidecar -->|"15012, 15017"| c0_gateway_external' in text
