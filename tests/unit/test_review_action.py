"""The action that comments on pull requests: its scripts are run, and what it says of itself is looked at."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from tests.support.graph import ROOT

ACTION = ROOT / ".github/actions/mesh-diff"
PINNED = re.compile(r"(\./\S+|[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)")


class Hub(BaseHTTPRequestHandler):
    """As much of GitHub's API as there is to comments, in memory."""

    comments: ClassVar[list[dict[str, Any]]] = []
    asked: ClassVar[list[tuple[str, str]]] = []
    refusal: ClassVar[int] = 0

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        query = {key: int(value[0]) for key, value in parse_qs(urlsplit(self.path).query).items()}
        start = (query["page"] - 1) * query["per_page"]
        self.answer(self.comments[start : start + query["per_page"]])

    def do_POST(self) -> None:
        self.comments.append({"id": len(self.comments) + 1, "user": {"type": "Bot"}, **self.body()})
        self.answer(self.comments[-1])

    def do_PATCH(self) -> None:
        (one,) = (item for item in self.comments if self.path.endswith(f"/comments/{item['id']}"))
        one.update(self.body())
        self.answer(one)

    def body(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return read

    def answer(self, data: Any) -> None:
        self.asked.append((self.command, urlsplit(self.path).path))
        known = self.headers["Authorization"] == "Bearer secret-token"
        self.send_response(self.refusal or (200 if known else 401))
        self.end_headers()
        self.wfile.write(json.dumps(data).encode())


@pytest.fixture
def hub() -> Iterator[str]:
    Hub.comments, Hub.asked, Hub.refusal = [], [], 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def comment(hub: str, file: Path, stack: str = "prod", **environment: str) -> subprocess.CompletedProcess[str]:
    given = {
        "GITHUB_API_URL": hub,
        "GITHUB_REPOSITORY": "owner/repo",
        "GITHUB_TOKEN": "secret-token",
        "NUMBER": "7",
        "STACK": stack,
        **environment,
    }
    return subprocess.run(
        [sys.executable, "-I", str(ACTION / "comment.py"), str(file)],
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )


class TestComment:
    def test_one_comment_a_stack_that_is_updated(self, hub: str, tmp_path: Path) -> None:
        file = tmp_path / "comment.md"
        file.write_text("first\n")
        assert comment(hub, file).stdout == "posted\n"
        assert comment(hub, file).stdout == "unchanged\n"
        assert comment(hub, file, "staging").stdout == "posted\n"
        file.write_text("second\n")
        assert comment(hub, file).stdout == "updated\n"
        assert [item["body"].partition("\n")[2] for item in Hub.comments] == ["second\n", "first\n"]
        assert {path for method, path in Hub.asked if method == "POST"} == {"/repos/owner/repo/issues/7/comments"}

    def test_it_is_found_among_many_and_nobody_else_s_is_touched(self, hub: str, tmp_path: Path) -> None:
        file = tmp_path / "comment.md"
        file.write_text("first\n")
        comment(hub, file)
        (ours,) = Hub.comments
        copied = {"id": 900, "user": {"type": "User"}, "body": ours["body"]}
        others = [{"id": 1000 + n, "user": None, "body": "hello"} for n in range(150)]
        Hub.comments[:] = [copied, *others, ours]
        file.write_text("second\n")
        assert comment(hub, file).stdout == "updated\n"
        assert copied["body"].endswith("first\n")
        assert ours["body"].endswith("second\n")

    def test_the_name_of_a_stack_cannot_end_the_marker(self, hub: str, tmp_path: Path) -> None:
        file = tmp_path / "comment.md"
        file.write_text("text\n")
        comment(hub, file, "--> @everyone")
        assert re.fullmatch(r"<!-- mesh-diff [0-9a-f]{16} -->\ntext\n", Hub.comments[0]["body"])

    def test_it_is_never_longer_than_the_api_takes(self, hub: str, tmp_path: Path) -> None:
        file = tmp_path / "comment.md"
        file.write_text("x" * 70_000)
        assert comment(hub, file).returncode == 0
        assert len(Hub.comments[0]["body"]) == 65_536

    @pytest.mark.parametrize(("code", "said"), [(403, "give the job `permissions:"), (502, "run the job again")])
    def test_a_refusal_is_told_without_the_token(self, hub: str, tmp_path: Path, code: int, said: str) -> None:
        Hub.refusal = code
        file = tmp_path / "comment.md"
        file.write_text("text\n")
        found = comment(hub, file)
        assert found.returncode == 1
        assert found.stdout.startswith("::error::GET ")
        assert said in found.stdout
        assert "secret-token" not in found.stdout + found.stderr

    def test_a_number_that_is_none(self, hub: str, tmp_path: Path) -> None:
        assert "NUMBER is no number" in comment(hub, tmp_path, NUMBER="7/../8").stderr
        assert Hub.asked == []


class TestCompare:
    """With a `mesh` that writes down how it was called."""

    def run(self, folder: Path, program: str) -> tuple[subprocess.CompletedProcess[str], dict[str, str]]:
        mesh = folder / "mesh"
        mesh.write_text(f"#!/usr/bin/env bash\n{program}\n")
        mesh.chmod(0o755)
        given = {"MESH": str(mesh), "RUNNER_TEMP": str(folder), "CWD": ".", "STACK": "prod", "BASE": "a", "HEAD": "-b"}
        files = {"GITHUB_STEP_SUMMARY": str(folder / "summary"), "GITHUB_OUTPUT": str(folder / "output")}
        path = {"PATH": os.environ["PATH"]}
        done = subprocess.run(
            [str(ACTION / "compare.sh")], env=given | files | path, capture_output=True, text=True, check=False
        )
        output = (folder / "output").read_text() if (folder / "output").exists() else ""
        return done, dict(line.split("=", 1) for line in output.splitlines())

    def test_what_is_written_is_the_summary(self, tmp_path: Path) -> None:
        program = """cd "$RUNNER_TEMP"; echo "$@" > called; echo '### Mesh `m`: no changes' > mesh-diff.md"""
        done, output = self.run(tmp_path, program)
        assert (done.returncode, output) == (0, {"changed": "false", "code": "0"})
        assert (tmp_path / "called").read_text().endswith(f"--output {tmp_path}/mesh-diff.md -- a -b\n")
        assert (tmp_path / "summary").read_text() == "### Mesh `m`: no changes\n"

    def test_a_document_with_errors_is_said_before_the_job_fails(self, tmp_path: Path) -> None:
        program = """echo '### Mesh `m`: resources were not compared' > "$RUNNER_TEMP/mesh-diff.md"; exit 1"""
        done, output = self.run(tmp_path, program)
        assert (done.returncode, output) == (0, {"changed": "true", "code": "1"})

    def test_a_failure_is_the_comment(self, tmp_path: Path) -> None:
        done, output = self.run(tmp_path, "echo 'Error: no such revision' >&2; exit 1")
        assert (done.returncode, output["code"]) == (0, "1")
        assert (tmp_path / "mesh-diff.md").read_text() == "### Mesh diff failed\n\n    Error: no such revision\n"


class TestFiles:
    def test_every_action_is_pinned_by_commit(self) -> None:
        for path in (ACTION / "action.yml", ROOT / ".github/workflows/review.yml"):
            used = re.findall(r"^ *(?:- )?uses: (.+)$", path.read_text(), re.MULTILINE)
            assert used
            assert all(PINNED.fullmatch(item) for item in used), used

    def test_nothing_of_a_pull_request_is_run_with_secrets(self) -> None:
        text = (ROOT / ".github/workflows/review.yml").read_text()
        workflow = yaml.safe_load(text)
        assert workflow[True].keys() == {"pull_request"}
        jobs = workflow["jobs"]
        for name in ("stacks", "diff"):
            assert "secrets." not in json.dumps(jobs[name])
            checkout = jobs[name]["steps"][0]
            assert checkout["with"]["ref"] == "${{ github.event.pull_request.base.sha }}"
            assert checkout["with"]["persist-credentials"] is False
        assert jobs["preview"]["environment"] == "preview"
        assert "head.repo.full_name == github.repository" in jobs["preview"]["if"]

    def test_no_expression_stands_in_a_script(self) -> None:
        """What a pull request says would be run as a program there; in `env` it is data."""
        for path in (ACTION / "action.yml", ROOT / ".github/workflows/review.yml"):
            for step in _steps(yaml.safe_load(path.read_text())):
                assert "${{" not in step.get("run", "")


def _steps(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from data.get("runs", {}).get("steps", ())
    for job in data.get("jobs", {}).values():
        yield from job["steps"]
