"""A kubeconfig is read without a cluster, and whatever is wrong with it, none of it is repeated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mesh_components.settings import KubeconfigSettings
from mesh_components.settings.kubeconfig import Kubeconfig, KubeconfigError, load, read, refused

SECRET = "hunter2-hunter2"


def document(**changes: Any) -> dict[str, Any]:
    return {
        "clusters": [{"name": "c", "cluster": {"server": "https://a.example:6443"}}],
        "users": [{"name": "u", "user": {"token": SECRET}}],
        "contexts": [
            {"name": "one", "context": {"cluster": "c", "user": "u"}},
            {"name": "two", "context": {"cluster": "c", "user": "nobody"}},
        ],
        "current-context": "one",
        **changes,
    }


def error_of(contents: str) -> KubeconfigError | None:
    try:
        read(contents)
    except KubeconfigError as error:
        return error
    return None


def from_source(source: KubeconfigSettings, folder: Path, **environment: str) -> Kubeconfig:
    return load(source, folder=folder, secret={"kept": json.dumps(document())}.get, environment=environment)


class TestRead:
    def test_the_current_context_is_taken(self) -> None:
        found = read(json.dumps(document()))
        assert (found.context, found.server, found.refused, found.insecure) == (
            "one",
            "https://a.example:6443",
            (),
            False,
        )

    def test_a_named_context_is_taken_and_missing_parts_are_told(self) -> None:
        with pytest.raises(KubeconfigError, match="the user of the context 'two' is not in the kubeconfig"):
            read(json.dumps(document()), "two")

    def test_an_insecure_server_is_told(self) -> None:
        clusters = [{"name": "c", "cluster": {"server": "https://a", "insecure-skip-tls-verify": True}}]
        assert read(json.dumps(document(clusters=clusters))).insecure

    def test_contents_are_not_in_the_representation(self) -> None:
        assert SECRET not in repr(read(json.dumps(document())))

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"clusters": "x"}, "it has no list of clusters"),
            ({"clusters": [{"name": "c", "cluster": {}}]}, "has no server"),
            ({"clusters": [{"name": "c", "cluster": {"server": {"a": SECRET}}}]}, "has no server"),
            ({"clusters": [{"name": "c", "cluster": SECRET}]}, "the cluster of the current context is not in"),
            ({"users": [SECRET]}, "the user of the current context is not in"),
            ({"users": 5}, "the user of the current context is not in"),
            ({"contexts": None}, "the current context is not in"),
            ({"contexts": [{"name": "one", "context": SECRET}]}, "the current context is not in"),
            ({"current-context": None}, "has no current context"),
            ({"current-context": [SECRET]}, "has no current context"),
            ({"current-context": SECRET}, "the current context is not in"),
        ],
    )
    def test_each_lack_has_its_words(self, changes: Mapping[str, Any], message: str) -> None:
        with pytest.raises(KubeconfigError, match=message) as raised:
            read(json.dumps(document(**changes)))
        assert SECRET not in str(raised.value)

    @pytest.mark.parametrize(
        "text", ["", "[", "a: 2001-99-99", "!!int ''", "!!timestamp x", "!!float x", "\x00", "{" * 2000]
    )
    def test_what_is_no_yaml_is_a_kubeconfig_error(self, text: str) -> None:
        with pytest.raises(KubeconfigError):
            read(text)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
MARKED = st.text(alphabet="abc", min_size=1).map(lambda text: f"{SECRET}{text}")
PART = (
    JUNK
    | MARKED
    | st.lists(st.fixed_dictionaries({"name": MARKED | st.just("c"), "cluster": JUNK | MARKED}), max_size=2)
)


class TestNothingLeaks:
    """The error goes to terminals and pull requests; the contents are the keys of a cluster."""

    @given(
        st.fixed_dictionaries(
            {},
            optional={
                "clusters": PART | st.just(document()["clusters"]),
                "contexts": PART | st.just(document()["contexts"]),
                "users": PART,
                "current-context": PART | st.just("one"),
                "rest": PART,
            },
        )
    )
    def test_an_error_quotes_nothing_of_the_contents(self, kubeconfig: Mapping[str, Any]) -> None:
        error = error_of(yaml.safe_dump(kubeconfig))
        assert SECRET not in str(error)
        assert error is None or error.__suppress_context__ or error.__context__ is None

    @given(st.text())
    def test_text_is_a_kubeconfig_or_an_error(self, text: str) -> None:
        with pytest.raises(KubeconfigError) as raised:
            read(f"{SECRET}: {text}")
        assert SECRET not in str(raised.value)


class TestRefused:
    """istiod's own list (istio/istio pkg/kube/multicluster/secretcontroller.go)."""

    @pytest.mark.parametrize(
        ("user", "expected"),
        [
            ({"token": "x"}, ()),
            ({"client-certificate-data": "x", "client-key-data": "x"}, ()),
            ({"auth-provider": {"name": "oidc"}}, ()),
            ({"auth-provider": "gcp"}, ()),
            ({"exec": {"command": "x"}, "tokenFile": "x"}, ("exec", "tokenFile")),
            ({"client-certificate": "x", "client-key": "x"}, ("clientCertificate", "clientKey")),
            ({"auth-provider": {"name": "openstack"}}, ("openstack",)),
        ],
    )
    def test_in_the_words_of_istiod(self, user: Mapping[str, Any], expected: tuple[str, ...]) -> None:
        assert refused(user) == expected


class TestLoad:
    def test_relative_paths_start_at_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / "east").write_text(json.dumps(document()))
        assert from_source(KubeconfigSettings(file="east"), tmp_path).context == "one"

    def test_a_home_folder_is_expanded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        (tmp_path / "east").write_text(json.dumps(document()))
        assert from_source(KubeconfigSettings(file="~/east"), Path("/nowhere")).context == "one"

    def test_an_environment_variable_holds_contents(self, tmp_path: Path) -> None:
        found = from_source(KubeconfigSettings(environment="EAST"), tmp_path, EAST=json.dumps(document()))
        assert found.context == "one"

    def test_a_secret_setting_holds_contents(self, tmp_path: Path) -> None:
        assert from_source(KubeconfigSettings(secret="kept"), tmp_path).context == "one"

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            (KubeconfigSettings(), "no file, environment variable or secret stack setting is named"),
            (KubeconfigSettings(file="absent"), "there is no file .*/absent"),
            (KubeconfigSettings(file="."), "cannot be read"),
            (KubeconfigSettings(file="a\x00b"), "cannot be read"),
            (KubeconfigSettings(file="~nobody-of-that-name/x"), "cannot be read"),
            (KubeconfigSettings(file="binary"), "cannot be read"),
            (KubeconfigSettings(environment="ABSENT"), "the environment variable ABSENT is not set"),
            (KubeconfigSettings(secret="absent"), "the secret stack setting absent is not set"),
        ],
    )
    def test_what_cannot_be_read_is_told(self, source: KubeconfigSettings, message: str, tmp_path: Path) -> None:
        (tmp_path / "binary").write_bytes(b"\xff\xfe\xff")
        with pytest.raises(KubeconfigError, match=message):
            from_source(source, tmp_path)
