"""What the local engine's Kubernetes provider makes of a goal, without an API server."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from meshctl.local.model import UNKNOWN, Goal, Op, Options, Record, StepError, Unreachable
from meshctl.local.providers.kubernetes import KubernetesProvider
from meshctl.local.providers.kubernetes.applying import apply
from meshctl.local.providers.kubernetes.cluster import Cluster, Kind
from meshctl.local.providers.kubernetes.errors import ApiError, explain
from meshctl.local.providers.kubernetes.ignoring import keep_ignored
from meshctl.local.providers.kubernetes.immutable import force_new
from meshctl.local.providers.kubernetes.objects import desire, manager_name, type_of
from meshctl.local.providers.kubernetes.planning import Settings, plan
from meshctl.local.providers.kubernetes.provider import flag
from meshctl.local.providers.kubernetes.transport import looks_like_path
from meshctl.local.providers.kubernetes.waitfor import rules
from meshctl.local.providers.kubernetes.waiting import Clock, until_ready

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
SECRET = "kubernetes:core/v1:Secret"


def silent(urn: str, message: str) -> None:
    """Nobody listens."""


def goal(inputs: dict[str, Any], type_: str = CONFIG_MAP, name: str = "res", **options: Any) -> Goal:
    return Goal(f"urn:{name}", type_, name, True, "", "p", inputs, frozenset(), (), Options(**options))


def record(of: Goal, id_: str, outputs: dict[str, Any] | None = None, pending: Op | None = None) -> Record:
    return Record(
        of.urn, of.type, of.name, True, "", "p", of.inputs, frozenset(), (), id_, outputs or {}, frozenset(),
        pending=pending,
    )  # fmt: skip


@pytest.fixture
def unknown_cluster() -> KubernetesProvider:
    inputs = {"kubeconfig": UNKNOWN, "clusterIdentifier": "gke/p/l/east"}
    return KubernetesProvider(inputs, "dev", silent)


class TestTypes:
    """The type token says what the object is; a custom resource says it in its inputs, too."""

    @pytest.mark.parametrize(
        ("token", "inputs", "expected"),
        [
            ("kubernetes:core/v1:Secret", {}, ("v1", "Secret", False)),
            ("kubernetes:apps/v1:Deployment", {}, ("apps/v1", "Deployment", False)),
            ("kubernetes:core/v1:NamespacePatch", {}, ("v1", "Namespace", True)),
            ("kubernetes:core/v1:NamespacePatch", {"kind": "Namespace"}, ("v1", "Namespace", True)),
            (
                "kubernetes:networking.istio.io/v1:Gateway",
                {"apiVersion": "networking.istio.io/v1", "kind": "Gateway"},
                ("networking.istio.io/v1", "Gateway", False),
            ),
            ("kubernetes:example.org/v1:JsonPatch", {"kind": "JsonPatch"}, ("v1", "JsonPatch", False)),
        ],
    )
    def test_of(self, token: str, inputs: dict[str, Any], expected: tuple[str, str, bool]) -> None:
        version, kind, patch = type_of(token, inputs)
        assert (kind, patch) == expected[1:]
        assert version.endswith(expected[0])

    @pytest.mark.parametrize("token", ["kubernetes:helm.sh/v4:Chart", "kubernetes:yaml/v2:ConfigGroup", "kubernetes:x"])
    def test_what_is_no_object_is_refused(self, token: str) -> None:
        with pytest.raises(StepError):
            type_of(token, {})


class TestDesired:
    """What is sent is what the API server accepts."""

    def test_integral_floats_are_integers(self) -> None:
        desired = desire(goal({"spec": {"a": 1.0, "b": [2.0, 0.5], "c": True, "d": None}}), None, "dev")
        assert json.dumps(desired.body["spec"]) == '{"a": 1, "b": [2, 0.5], "c": true}'

    def test_the_inputs_are_not_touched(self) -> None:
        inputs = {"metadata": {"namespace": "x"}, "stringData": {"a": "b"}}
        desire(goal(inputs, SECRET), None, "dev")
        assert inputs == {"metadata": {"namespace": "x"}, "stringData": {"a": "b"}}

    def test_string_data_is_data(self) -> None:
        desired = desire(goal({"stringData": {"a": "ä", "u": UNKNOWN}, "data": {"b": "Yg=="}}, SECRET), None, "dev")
        assert desired.body["data"] == {"b": "Yg==", "a": base64.b64encode("ä".encode()).decode(), "u": UNKNOWN}
        assert "stringData" not in desired.body

    def test_an_automatic_name_is_drawn_once(self) -> None:
        first = desire(goal({}), None, "dev")
        assert first.name.startswith("res-")
        assert len(first.name) == len("res-") + 8
        assert desire(goal({}), None, "dev", drawn=first.name).name == first.name
        assert desire(goal({}), record(goal({}), f"ns/{first.name}"), "dev").name == first.name

    def test_generate_name_and_nameless_patches_are_refused(self) -> None:
        with pytest.raises(StepError, match="generateName"):
            desire(goal({"metadata": {"generateName": "x-"}}), None, "dev")
        with pytest.raises(StepError, match=r"metadata\.name"):
            desire(goal({}, "kubernetes:core/v1:NamespacePatch"), None, "dev")

    def test_managers(self) -> None:
        assert manager_name("org/project/dev") == "mesh/org/project/dev"
        assert manager_name("dev", "network") == "mesh/dev/network"
        long = manager_name("s" * 200)
        assert len(long) == 128
        assert long != manager_name("s" * 201)
        assert manager_name("ä\n").isascii()


class TestImmutable:
    """Pulumi's list; the API server is asked where it can be."""

    @pytest.mark.parametrize(
        ("kind", "path", "replaces"),
        [
            ("Deployment", ("spec", "selector", "matchLabels", "a"), True),
            ("Deployment", ("spec", "template"), False),
            ("Deployment", ("spec",), True),
            ("Service", ("spec", "clusterIP"), True),
            ("RoleBinding", ("roleRef", "name"), True),
            ("Secret", ("type",), True),
            ("Secret", ("data", "a"), False),
            ("Job", ("spec", "template", "x"), True),
            ("ConfigMap", ("metadata", "labels"), False),
        ],
    )
    def test_fields(self, kind: str, path: tuple[str, ...], replaces: bool) -> None:
        assert force_new(kind, [path], mutable=True) is replaces

    def test_values_replace_unless_the_provider_says_otherwise(self) -> None:
        assert force_new("Secret", [("data", "a")], mutable=False)
        assert force_new("ConfigMap", [("data", "a")], mutable=True, frozen=True)


class TestWithoutACluster:
    """While the cluster is yet to be made, a plan speaks of the inputs."""

    def test_its_name_is_known_all_the_same(self, unknown_cluster: KubernetesProvider) -> None:
        assert unknown_cluster.cluster == "east"

    def test_create(self, unknown_cluster: KubernetesProvider) -> None:
        step = unknown_cluster.plan(goal({"metadata": {"name": "a"}}), None)
        assert step.op is Op.CREATE
        assert step.outputs["status"] is UNKNOWN

    def test_a_token_is_not_known_before_it_is_issued(self, unknown_cluster: KubernetesProvider) -> None:
        inputs = {"type": "kubernetes.io/service-account-token", "metadata": {"name": "t"}}
        assert unknown_cluster.plan(goal(inputs, SECRET), None).outputs["data"] is UNKNOWN

    def test_same_update_replace(self, unknown_cluster: KubernetesProvider) -> None:
        old = goal({"metadata": {"name": "a", "namespace": "n", "labels": {"x": "1"}}})
        was = record(old, "n/a", {"kept": True})
        assert unknown_cluster.plan(old, was).op is Op.SAME
        relabelled = goal({"metadata": {"name": "a", "namespace": "n", "labels": {"x": "2"}}})
        step = unknown_cluster.plan(relabelled, was)
        assert step.op is Op.UPDATE
        assert [(c.path, c.old, c.new) for c in step.changes] == [("metadata.labels.x", "1", "2")]
        assert unknown_cluster.plan(goal({"metadata": {"name": "b", "namespace": "n"}}), was).op is Op.REPLACE
        assert unknown_cluster.plan(goal({"metadata": {"name": "a", "namespace": "m"}}), was).op is Op.REPLACE

    def test_secret_values_are_not_shown(self, unknown_cluster: KubernetesProvider) -> None:
        old = goal({"metadata": {"name": "a"}, "stringData": {"k": "hunter1"}}, SECRET)
        new = goal({"metadata": {"name": "a"}, "stringData": {"k": "hunter2"}}, SECRET)
        step = unknown_cluster.plan(new, record(old, "default/a"))
        assert step.op is Op.REPLACE, "enableSecretMutable was not set"
        shown = repr((step.changes, step.warnings))
        assert "hunter" not in shown
        assert base64.b64encode(b"hunter2").decode() not in shown

    def test_apply_and_delete_say_what_is_missing(self, unknown_cluster: KubernetesProvider) -> None:
        asked = goal({"metadata": {"name": "a"}})
        with pytest.raises(StepError, match="kubeconfig is not known"):
            unknown_cluster.apply(asked, None, unknown_cluster.plan(asked, None))


class Stub(Cluster):
    """A cluster that holds one object, as kubectl has once applied it."""

    def __init__(self, live: dict[str, Any]) -> None:
        self.live = json.dumps(live)
        self.label, self.namespace = "east", "default"
        self.sent: list[Any] = []

    def kind(self, api_version: str, kind: str) -> Kind | None:  # noqa: ARG002
        return Kind(f"{kind.lower()}s", namespaced=True)

    def get(self, path: str) -> dict[str, Any] | None:  # noqa: ARG002
        found: dict[str, Any] = json.loads(self.live)
        return found

    find = get

    def apply(self, path: str, body: Any, manager: str, **_: Any) -> tuple[dict[str, Any], bool]:  # noqa: ARG002
        self.sent.append(body)
        live = json.loads(self.live)
        return {**live, **body, "metadata": {**body["metadata"], **live["metadata"]}}, False


class TestLastApplied:
    """What kubectl notes in an annotation holds the values of a Secret in clear."""

    KEY = "kubectl.kubernetes.io/last-applied-configuration"
    NOTE = '{"data":{"key":"aHVudGVyMg=="}}'

    def inputs(self, value: str, **annotations: str) -> dict[str, Any]:
        metadata: dict[str, Any] = {"name": "a", "namespace": "n"}
        return {"metadata": metadata | ({"annotations": annotations} if annotations else {}), "data": {"k": value}}

    @pytest.fixture
    def cluster(self) -> Stub:
        metadata = {"name": "a", "namespace": "n", "uid": "1", "annotations": {self.KEY: self.NOTE, "own": "x"}}
        return Stub({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {"k": "YQ=="}})

    @pytest.mark.parametrize(("value", "op"), [("YQ==", Op.SAME), ("Yg==", Op.UPDATE)])
    def test_is_neither_planned_nor_recorded(self, cluster: Stub, value: str, op: Op) -> None:
        wanted, settings = goal(self.inputs(value), SECRET), Settings("dev", secret_mutable=True)
        before = record(goal(self.inputs("YQ=="), SECRET), "n/a")
        step = plan(cluster, wanted, before, settings)
        assert step.op is op
        assert step.outputs["metadata"]["annotations"] == {"own": "x"}
        done = apply(cluster, wanted, before, step, settings, silent)
        assert done.outputs["metadata"]["annotations"] == {"own": "x"}

    def test_nor_recorded_of_what_is_not_ready(self, cluster: Stub) -> None:
        live = json.loads(cluster.live)
        live |= {"apiVersion": "x/v1", "kind": "Thing"}
        never = rules({"metadata": {"annotations": {"pulumi.com/waitFor": "jsonpath={.x}=1"}}}, {})
        cluster.request = lambda *_, **__: (200, {})
        with pytest.raises(StepError) as caught:
            until_ready(cluster, "/x", live, never, Clock(0, lambda _: None), where="x", id_="n/a")
        assert caught.value.partial is not None
        assert caught.value.partial.outputs["metadata"]["annotations"] == {"own": "x"}

    def test_a_program_that_says_it_does_not_show_or_send_it(self, cluster: Stub) -> None:
        wanted = goal(self.inputs("YQ==", **{self.KEY: "another", "own": "y"}), SECRET)
        before = record(goal(self.inputs("YQ=="), SECRET), "n/a")
        step = plan(cluster, wanted, before, Settings("dev"))
        assert self.NOTE not in repr(step)
        assert "another" not in repr(step)
        assert self.KEY in wanted.inputs["metadata"]["annotations"]
        assert self.KEY not in repr(cluster.sent)


class TestIgnoredChanges:
    """What is ignored is neither fought over nor taken away."""

    def live(self, manager: str) -> dict[str, Any]:
        fields: dict[str, Any] = {"f:spec": {"f:replicas": {}}}
        return {
            "metadata": {"managedFields": [{"manager": manager, "fieldsV1": fields}]},
            "spec": {"replicas": 5, "hooks": [{"policy": "Fail"}, {"policy": "Fail"}]},
        }

    def test_what_another_manager_sets_is_left_out(self) -> None:
        desired = desire(goal({"spec": {"replicas": 1}}), None, "dev")
        keep_ignored(desired, self.live("kube-controller-manager"), ["spec.replicas"])
        assert desired.body["spec"] == {}

    def test_what_is_ours_is_sent_as_it_is(self) -> None:
        desired = desire(goal({"spec": {"replicas": 1}}), None, "dev")
        keep_ignored(desired, self.live("mesh/dev"), ["spec.replicas"])
        assert desired.body["spec"] == {"replicas": 5}

    def test_a_star_is_every_item(self) -> None:
        desired = desire(goal({"spec": {"hooks": [{"policy": "Ignore"}, {"policy": "Ignore"}]}}), None, "dev")
        keep_ignored(desired, self.live("x"), ["spec.hooks[*].policy"])
        assert desired.body["spec"]["hooks"] == [{"policy": "Fail"}, {"policy": "Fail"}]


class TestErrors:
    """Where, what, why, fix; and no secret value."""

    def test_conflicts_name_field_and_manager(self) -> None:
        cause = {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "kubectl-edit" using v1',
            "field": ".data.a",
        }
        assert ApiError(409, {"details": {"causes": [cause]}}).conflicts == [(".data.a", "kubectl-edit")]

    def test_values_of_secrets_are_left_out(self) -> None:
        status = {
            "message": 'Secret "s" is invalid: data[x y]: Invalid value: "hunter2"',
            "details": {"causes": [{"field": "data[x y]"}]},
        }
        assert "hunter2" in explain("east: ConfigMap n/s", ApiError(422, status))
        words = explain("east: Secret n/s", ApiError(422, status), secret=True)
        assert "hunter2" not in words
        assert "data[x y]" in words
        assert words.startswith("east: Secret n/s: 422: ")

    @pytest.mark.parametrize(
        ("code", "message", "webhook", "temporary"),
        [
            (500, 'Internal error occurred: failed calling webhook "v.istio.io": refused', "v.istio.io", False),
            (500, 'no endpoints available for service "istiod"', "no endpoints", False),
            (503, "the server is currently unable to handle the request", "", True),
            (429, "too many requests", "", True),
            (500, "failed to create typed patch object (x): .spec.y: field not declared in schema", "", False),
            (400, 'admission webhook "v.istio.io" denied the request', "", False),
        ],
    )
    def test_what_passes_by_itself(self, code: int, message: str, webhook: str, temporary: bool) -> None:
        error = ApiError(code, {"message": message})
        assert (error.webhook, error.temporary) == (webhook, temporary)

    def test_nobody_there(self) -> None:
        kubeconfig = {
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
            "users": [{"name": "u", "user": {"token": "hunter2"}}],
        }
        inputs = {"kubeconfig": json.dumps(kubeconfig), "clusterIdentifier": "lab/east"}
        provider = KubernetesProvider(inputs, "dev", silent)
        with pytest.raises(Unreachable, match=r"east: the API server https://127\.0\.0\.1:1 does not answer") as caught:
            provider.plan(goal({"metadata": {"name": "a"}}), None)
        assert "hunter2" not in str(caught.value)

    @pytest.mark.parametrize("kubeconfig", ["{not yaml", "a: b\n", "no/such/file"])
    def test_a_kubeconfig_that_is_none(self, kubeconfig: str) -> None:
        provider = KubernetesProvider({"kubeconfig": kubeconfig}, "dev", silent)
        with pytest.raises(Unreachable, match="kubeconfig cannot be used"):
            provider.plan(goal({"metadata": {"name": "a"}}), None)

    @pytest.mark.parametrize("inputs", [{}, {"kubeconfig": ""}, {"kubeconfig": " \n"}, {"kubeconfig": {}}])
    def test_without_a_kubeconfig_it_goes_nowhere(
        self, inputs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from kubernetes.config import kube_config

        ambient = tmp_path / "config"
        ambient.write_text(
            "{current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}],"
            " clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}], users: [{name: u, user: {token: t}}]}"
        )
        monkeypatch.setattr(kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(ambient))
        provider = KubernetesProvider(inputs | {"context": "east"}, "dev", silent)
        for _ in range(2):
            with pytest.raises(Unreachable, match=r"east: its provider has .* kubeconfig.*; fix: give"):
                provider.plan(goal({"metadata": {"name": "a"}}), None)


class TestSettings:
    """They come over the wire as strings."""

    @pytest.mark.parametrize(
        ("value", "on"),
        [(True, True), ("true", True), ('"true"', True), ("False", False), (None, False), ("", False), ("yes", False)],
    )
    def test_flags(self, value: Any, on: bool) -> None:
        assert flag(value) is on

    def test_contents_and_paths(self) -> None:
        assert looks_like_path("~/.kube/config")
        assert not looks_like_path('{"clusters": []}')
        assert not looks_like_path("apiVersion: v1\nclusters: []\n")
