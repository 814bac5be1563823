"""`mesh diff`: what is told of a change, and that nothing else is."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner, Result
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from meshctl.cli import main
from meshctl.review import jsontext, markdown, text
from meshctl.review.review import Review, review
from meshctl.review.side import Source
from tests.support.changes import CHANGES, base, changed
from tests.support.graph import ROOT
from tests.support.recipes import TOPOLOGIES, document, stack_file

Document = dict[str, Any]


class Markdown(SingleFileSnapshotExtension):
    """One file a comment, as people would see it."""

    file_extension = "md"
    _write_mode = WriteMode.TEXT


def compared(folder: Path, before: Document, after: Document) -> Review:
    for name, data in (("before.yaml", before), ("after.yaml", after)):
        (folder / name).write_text(yaml.safe_dump(data, sort_keys=False))
    source = Source(folder, None)
    return review(source.side("before.yaml"), source.side("after.yaml"))


@cache
def prepared(name: str) -> Review:
    """The review of a prepared change."""
    with tempfile.TemporaryDirectory() as folder:
        return compared(Path(folder), base(), changed(name))


def mesh_diff(*words: str, cwd: Path) -> Result:
    return CliRunner().invoke(main, ["diff", "--cwd", str(cwd), *words])


class TestPreparedChanges:
    @pytest.mark.parametrize("name", CHANGES)
    def test_golden_markdown(self, name: str, snapshot: SnapshotAssertion) -> None:
        written = markdown.write(prepared(name))
        assert written == snapshot(extension_class=Markdown)

    def test_the_same_change_gives_the_same_text(self, tmp_path: Path) -> None:
        found = [compared(tmp_path, base(), changed("a-cluster-leaves-and-another-comes")) for _ in range(2)]
        for writer in (markdown, text, jsontext):
            assert writer.write(found[0]) == writer.write(found[1])

    def test_the_page_shows_what_is_printed(self, tmp_path: Path) -> None:
        before, after = document("multi-primary-multi-network"), document("multi-primary-multi-network")
        after["trust"] = {"algorithm": "RSA-4096"}
        after["clusters"][0]["eastWest"] = {"minReplicas": 3}
        printed = click.unstyle(text.write(compared(tmp_path, before, after)))
        page = (ROOT / "docs/review.md").read_text()
        assert f"$ mesh diff before.yaml after.yaml\n{printed}```\n" in page

    def test_another_order_of_the_document_is_no_change(self) -> None:
        found = prepared("reordered")
        assert not found.changed
        assert text.write(found) == "no changes\n"
        assert markdown.write(found).startswith("### Mesh `mesh1`: no changes\n")
        assert "mermaid" not in markdown.write(found)
        assert json.loads(jsontext.write(found))["changed"] is False

    @pytest.mark.parametrize("name", TOPOLOGIES)
    def test_no_recipe_changes_with_the_order_of_its_clusters(self, name: str, tmp_path: Path) -> None:
        before = document(name)
        after = {**before, "clusters": before["clusters"][::-1]}
        assert text.write(compared(tmp_path, before, after)) == "no changes\n"


class TestResources:
    """What is compared: inputs, and what follows from others that are replaced."""

    def test_what_comes_from_a_replaced_key_is_another_one_too(self) -> None:
        rows = {row.name: row for row in prepared("another-root").rows}
        assert rows["mesh-trust-cluster2"].op == "replace"
        data = next(item for item in rows["mesh-cluster1-trust-cacerts"].fields if item.path == "data")
        assert (data.old, data.new) == ("[secret]", "[secret]")
        assert re.fullmatch(r"as mesh-trust-\S+ is replaced and \d+ more", data.note)

    def test_a_change_elsewhere_leaves_it_alone(self) -> None:
        names = {row.name for row in prepared("larger-gateway").rows}
        assert names == {"mesh-cluster1-eastwest-autoscaler"}

    def test_a_cluster_that_comes_touches_of_the_others_only_what_reads_it(self) -> None:
        rows = prepared("a-cluster-comes").rows
        assert {(row.name, row.op) for row in rows if row.cluster in ("cluster1", "cluster2")} == {
            ("mesh-cluster3-to-cluster1-secret", "create"),
            ("mesh-cluster3-to-cluster2-secret", "create"),
        }

    def test_what_is_bundled_changes_with_whom_it_is_about(self, tmp_path: Path) -> None:
        bundled = {"discovery": {"secrets": "bundled"}}
        rows = compared(tmp_path, {**base(), **bundled}, {**changed("a-cluster-comes"), **bundled}).rows
        (row,) = (row for row in rows if row.cluster == "cluster1" and row.type.endswith(":Secret"))
        assert row.op == "update"
        assert all("[secret]" in (item.old, item.new) for item in row.fields)

    def test_no_secret_and_no_code_is_shown(self) -> None:
        for name in CHANGES:
            written = jsontext.write(prepared(name))
            assert "PRIVATE KEY" not in written
            assert "__provider" not in written
            for row in json.loads(written)["resources"]:
                if row["type"] == "kubernetes:core/v1:Secret":
                    shown = [(f["old"], f["new"]) for f in row["fields"] if f["path"].split(".")[0] == "data"]
                    assert all({*pair} <= {None, "[secret]"} for pair in shown)


class TestRisks:
    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("another-root", "replaces the root: see rotation"),
            ("another-root", "deletes or replaces what is protected: mesh-trust-root, mesh-trust-root-key"),
            ("another-trust-domain", "changes the trust domain from cluster.local to mesh.example.com"),
            ("a-cluster-leaves-and-another-comes", "takes cluster1 out of the mesh"),
            ("upgrade-in-place", "upgrades the control plane in place, from 1.30.3 to 1.30.4, in cluster1, cluster2"),
            ("one-network", "moves cluster2 from network2 to network1"),
            ("primary-becomes-remote", "cluster2 is served by another control plane: from primary to remote"),
        ],
    )
    def test_is_said(self, name: str, said: str) -> None:
        assert said in [risk.what for risk in prepared(name).risks]

    @pytest.mark.parametrize("name", ["larger-gateway", "second-revision", "reordered"])
    def test_nothing_is_said_of_what_is_safe(self, name: str) -> None:
        assert not prepared(name).risks

    @pytest.mark.parametrize("change", [{"namespace": "other"}, {"name": "other"}, {"clusters": ["cluster2"]}])
    def test_a_waypoint_that_goes_takes_policies_along(self, change: dict[str, Any], tmp_path: Path) -> None:
        before = document("waypoints")
        first, *others = before["waypoints"]
        found = compared(tmp_path, before, {**before, "waypoints": [{**first, **change}, *others]}).risks
        assert [(risk.level, risk.what) for risk in found] == [("high", "takes the waypoint of sample away")]
        assert (stack_file("local").parents[1] / found[0].page).is_file()

    def test_one_that_comes_or_grows_takes_nothing_away(self, tmp_path: Path) -> None:
        after = document("waypoints")
        before = {**after, "waypoints": [{**after["waypoints"][0], "minReplicas": 3}], "traffic": after["traffic"][:1]}
        assert not compared(tmp_path, before, after).risks

    def test_every_page_is_there(self) -> None:
        for name in CHANGES:
            for risk in prepared(name).risks:
                assert (stack_file("local").parents[1] / risk.page).is_file()


class TestMarkdown:
    def test_a_large_change_fits_into_a_comment(self, tmp_path: Path) -> None:
        many = [{"name": f"cluster{n}", "network": f"network{n}", "kubeconfig": {"secret": f"k{n}"}} for n in range(30)]
        found = compared(tmp_path, base(), {**base(), "clusters": many})
        written = markdown.write(found)
        assert len(written) <= markdown.ROOM < markdown.LIMIT
        assert "_More does not fit into a comment: " in written
        assert written.count("<details>") == written.count("</details>")

    def test_a_little_room_leaves_the_head(self) -> None:
        written = markdown.write(prepared("a-cluster-comes"), room=100)
        assert "19 to create" in written
        assert "<details>" not in written

    def test_what_stands_in_a_document_becomes_no_markup(self, tmp_path: Path) -> None:
        hostile = "</details> @everyone [x](https://evil.example) ```\n# no | `a`"
        after = base()
        after["clusters"][0]["eastWest"]["annotations"] = {"note": hostile}
        after["trust"] = {"organization": hostile}
        written = markdown.write(compared(tmp_path, base(), after))
        outside = re.sub(r"(?ms)^(`{3,})\w*\n.*?\n\1$", "", written)
        assert "everyone" not in outside
        assert outside.count("<details>") == outside.count("</details>")


class TestSides:
    """Files and revisions, and what is said where one cannot be read."""

    @pytest.fixture
    def project(self, tmp_path: Path) -> Path:
        (tmp_path / "Pulumi.yaml").write_text("name: mesh\nruntime: python\nstackConfigDir: stacks\n")
        (tmp_path / "__main__.py").write_text("raise SystemExit('the program is not run')\n")
        (tmp_path / "stacks").mkdir()
        self.git(tmp_path, "init", "--quiet", "--initial-branch", "main")
        self.write(tmp_path, base())
        self.commit(tmp_path)
        return tmp_path

    def git(self, folder: Path, *words: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)

    def write(self, folder: Path, data: Document) -> None:
        config = {"mesh:mesh": data, "mesh:key": {"secure": "v1:abc:def"}}
        text = yaml.safe_dump({"encryptionsalt": "v1:x:y", "config": config})
        (folder / "stacks" / "Pulumi.dev.yaml").write_text(text)

    def commit(self, folder: Path) -> None:
        self.git(folder, "add", ".")
        self.git(folder, "commit", "--quiet", "--message", "a change")

    def test_a_revision_and_what_lies_there(self, project: Path) -> None:
        assert mesh_diff("main", "--stack", "dev", cwd=project).stdout == "no changes\n"
        self.write(project, changed("larger-gateway"))
        found = mesh_diff("main", "--stack", "dev", cwd=project)
        assert (found.exit_code, found.stderr) == (0, "")
        assert found.stdout.endswith("spec.maxReplicas: 5 -> 9\n       spec.minReplicas: 2 -> 3\n\n1 to update\n")

    def test_two_revisions_from_a_folder_below(self, project: Path) -> None:
        self.write(project, changed("larger-gateway"))
        self.commit(project)
        found = mesh_diff("HEAD~1", "HEAD", "--stack", "dev", "--json", cwd=project / "stacks")
        assert json.loads(found.stdout)["summary"] == {"create": 0, "update": 1, "replace": 0, "delete": 0}

    def test_nothing_is_checked_out_and_no_program_is_run(self, project: Path) -> None:
        self.write(project, changed("larger-gateway"))
        self.commit(project)
        (project / "stacks" / "Pulumi.dev.yaml").unlink()
        assert mesh_diff("HEAD~1", "HEAD", "--stack", "dev", cwd=project).exit_code == 0
        assert not (project / "stacks" / "Pulumi.dev.yaml").exists()

    def test_a_stack_that_is_new(self, project: Path) -> None:
        self.git(project, "rm", "--quiet", "stacks/Pulumi.dev.yaml")
        self.commit(project)
        (project / "stacks").mkdir(exist_ok=True)
        self.write(project, base())
        found = mesh_diff("HEAD", "--stack", "dev", cwd=project)
        assert "note: before: there is no document at HEAD" in found.stdout
        assert re.search(r"^\d+ to create$", found.stdout, re.MULTILINE)

    def test_errors_at_the_head_are_told_and_end_with_1(self, project: Path) -> None:
        wrong = base()
        wrong["clusters"][1]["name"] = "cluster1"
        self.write(project, wrong)
        found = mesh_diff("main", "--stack", "dev", cwd=project)
        assert found.exit_code == 1
        assert "new findings\n  MESH102 error at clusters[" in found.stdout
        assert found.stdout.endswith("resources were not compared\n")
        data = json.loads(mesh_diff("main", "--stack", "dev", "--json", cwd=project).stdout)
        assert (data["compared"], data["findings"]["new"][0]["code"]) == (False, "MESH102")
        written = mesh_diff("main", "--stack", "dev", "--format", "markdown", cwd=project).stdout
        assert "so nobody can tell what it leads to" in written
        assert "see: docs/findings/MESH102.md" in written

    def test_errors_that_were_there_before_are_gone(self, project: Path) -> None:
        self.write(project, {"id": "mesh1", "clusters": "none"})
        self.commit(project)
        self.write(project, base())
        found = mesh_diff("main", "--stack", "dev", cwd=project)
        assert found.exit_code == 0
        assert "findings that are gone\n  MESH001 error at clusters" in found.stdout

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["nowhere", "--stack", "dev"], "'nowhere' is neither a file nor a revision of this repository"),
            (["--stack", "dev", "--", "--output=x"], "'--output=x' is neither a file nor a revision"),
            (["main"], "'main' is no file, and to read it as a revision of git needs the stack: add --stack NAME"),
            (["gone.yaml", "gone.yaml"], "gone.yaml: there is no such file"),
            (["stacks/broken.yaml", "main", "--stack", "dev"], "stacks/broken.yaml: cannot be read: "),
            (["stacks/empty.yaml", "main", "--stack", "dev"], "is a stack's file without a mesh document"),
            (["main", "--stack", "dev", "--output", "Pulumi.yaml/x"], "cannot be written"),
        ],
    )
    def test_mistakes(self, project: Path, words: list[str], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(project)
        (project / "stacks" / "broken.yaml").write_text("a: [")
        (project / "stacks" / "empty.yaml").write_text("config: {}\n")
        found = mesh_diff(*words, cwd=project)
        assert found.exit_code == 1
        assert said in " ".join(found.stderr.split())
        assert found.stdout == ""

    def test_outside_of_a_repository(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
        (tmp_path / "Pulumi.yaml").write_text("name: mesh\nruntime: python\n")
        found = mesh_diff("main", "--stack", "dev", cwd=tmp_path)
        assert "is not in a repository of git, so it has no revision 'main'; name two files" in found.stderr

    def test_to_a_file(self, project: Path, tmp_path: Path) -> None:
        path = tmp_path / "new" / "comment.md"
        found = mesh_diff("main", "--stack", "dev", "-f", "markdown", "-o", str(path), cwd=project)
        assert (found.exit_code, found.output) == (0, "")
        assert path.read_text().startswith("### Mesh `mesh1`: no changes\n")
