"""A small IBM Cloud: the paths of its IAM and its Kubernetes Service that are asked here, over real HTTP.

Paths, bodies and answers are those of IBM's own client (IBM-Cloud/bluemix-go) and of its tests. Time does not pass in
it: a cluster becomes ready, or goes, a number of questions after it was asked for.
"""

from __future__ import annotations

import base64
import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import yaml

from tests.support import authorities

KEY = "very-secret-api-key"
ACCOUNT = "0123456789abcdef"
Answer = tuple[int, Any, dict[str, str]]
THROTTLED: Answer = (429, {"code": "E0429", "description": "Too many requests."}, {"Retry-After": "7"})
NOT_FOUND: Answer = (404, {"incidentID": "i-404", "code": "E0008", "description": "It could not be found."}, {})
FORBIDDEN: Answer = (
    403,
    {"incidentID": "i-403", "code": "E0403", "description": "You are not authorized.", "type": "Authentication"},
    {},
)
SILENT: Answer = (0, None, {})
"""The connection ends without an answer."""


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]


@dataclass
class SmallIbm:
    """What there is, what it was asked, and what it answers instead for once."""

    account: str = ACCOUNT
    keys: set[str] = field(default_factory=lambda: {KEY})
    slow: int = 1
    """How many questions about a cluster it takes until that is ready, or gone."""
    kubeconfig: Callable[[str], str] | None = None
    """Contents of the kubeconfig of a cluster, by its name, with certificates as data."""
    life: timedelta = timedelta(days=365)
    """Of the certificate in the kubeconfig."""
    address: str = ""
    asked: list[Asked] = field(default_factory=list)
    instead: list[tuple[str, Answer]] = field(default_factory=list)
    """Beginnings of a path, and what is answered there for once."""
    unanswered: list[str] = field(default_factory=list)
    """Beginnings of a path at which what is asked is done, and the answer gets lost."""
    clusters: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By ID."""
    tokens: dict[str, str] = field(default_factory=dict)
    """Key by token."""
    made: int = 0

    def requests(self, path: str) -> list[Asked]:
        return [item for item in self.asked if item.path == path]

    def cluster(self, name: str) -> dict[str, Any]:
        return next(item for item in self.clusters.values() if item["name"] == name)

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        for place, (path, found) in enumerate(self.instead):
            if asked.path.startswith(path):
                del self.instead[place]
                return found
        done = self._iam(asked) if asked.path == "/identity/token" else self._containers(asked)
        for place, path in enumerate(self.unanswered):
            if asked.path.startswith(path):
                del self.unanswered[place]
                return SILENT
        return done

    def _iam(self, asked: Asked) -> Answer:
        form = dict(parse_qsl(asked.body))
        assert form["grant_type"] == "urn:ibm:params:oauth:grant-type:apikey"
        if form["apikey"] not in self.keys:
            said = {"errorCode": "BXNIM0415E", "errorMessage": f"Provided API key {form['apikey']} could not be found."}
            return 400, said, {}
        claims = base64.urlsafe_b64encode(json.dumps({"account": {"bss": self.account}}).encode()).decode().rstrip("=")
        token = f"header.{claims}.signature-{len(self.tokens)}"
        self.tokens[token] = form["apikey"]
        ends = int(datetime.now(UTC).timestamp()) + 3600
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600, "expiration": ends}, {}

    def _containers(self, asked: Asked) -> Answer:
        token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token) not in self.keys:
            return 401, {"code": "E0401", "description": "The token is not valid."}, {}
        path = asked.path.removeprefix("/global")
        if asked.method == "DELETE":
            return self._delete(path.split("/")[3:])
        routes: Mapping[str, Callable[[Any], Answer]] = {
            "/v2/vpc/createCluster": self._create,
            "/v2/vpc/getCluster": self._get,
            "/v2/vpc/getWorkerPools": lambda query: self._of(query, lambda found: list(found["pools"].values())),
            "/v2/vpc/getWorkers": lambda query: self._of(query, self._workers),
            "/v2/vpc/createWorkerPool": self._create_pool,
            "/v2/vpc/createWorkerPoolZone": self._create_zone,
            "/v2/resizeWorkerPool": self._resize,
            "/v2/setWorkerPoolLabels": self._label,
            "/v2/applyRBACAndGetKubeconfig": self._kubeconfig,
        }
        given = asked.query if asked.method == "GET" else json.loads(asked.body)
        return routes[path](given) if path in routes else NOT_FOUND

    def _find(self, name: str) -> dict[str, Any] | None:
        return next((item for id_, item in self.clusters.items() if name in (id_, item["name"])), None)

    def _of(self, query: Mapping[str, str], answer: Callable[[dict[str, Any]], Any]) -> Answer:
        found = self._find(query["cluster"])
        return (200, answer(found), {}) if found else NOT_FOUND

    def _create(self, body: Mapping[str, Any]) -> Answer:
        if self._find(body["name"]):
            return 409, {"code": "E0007", "description": "A cluster with the same name already exists."}, {}
        self.made += 1
        id_ = f"c{self.made}abc"
        pool = body["workerPool"]
        self.clusters[id_] = {
            "id": id_,
            "name": body["name"],
            "state": "deploying",
            "lifecycle": {"masterStatus": "Deploy in progress"},
            "vpcs": [pool["vpcID"]],
            "podSubnet": body["podSubnet"] or "172.17.0.0/18",
            "serviceSubnet": body["serviceSubnet"] or "172.21.0.0/16",
            "masterKubeVersion": f"{body['kubeVersion'] or '1.34.1'}_1530",
            "serviceEndpoints": {"publicServiceEndpointURL": f"https://c1.eu-de.containers.cloud.ibm.com:3{self.made}"},
            "pools": {pool["name"]: self._pool(pool)},
            "asked": body,
            "questions": 0,
        }
        return 201, {"clusterID": id_}, {}

    def _pool(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        zones = [{"id": zone["id"], "subnets": [{"id": zone["subnetID"], "primary": True}]} for zone in asked["zones"]]
        return {
            "id": f"pool-{asked['name']}",
            "poolName": asked["name"],
            "flavor": asked["flavor"],
            "workerCount": asked["workerCount"],
            "labels": {"ibm-cloud.kubernetes.io/worker-pool-id": "x", **asked["labels"]},
            "lifecycle": {"actualState": "active"},
            "zones": zones,
        }

    def _get(self, query: Mapping[str, str]) -> Answer:
        found = self._find(query["cluster"])
        if found is None:
            return NOT_FOUND
        found["questions"] += 1
        if found["questions"] > self.slow:
            if found["state"] == "deleting":
                del self.clusters[found["id"]]
                return NOT_FOUND
            if found["state"] == "deploying":
                found["state"], found["lifecycle"] = "normal", {"masterStatus": "Ready"}
        return 200, found, {}

    def _workers(self, found: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {"id": f"{name}-{zone['id']}-{n}", "poolName": name, "health": {"state": "normal"}}
            for name, pool in found["pools"].items()
            for zone in pool["zones"]
            for n in range(pool["workerCount"])
        ]

    def _create_pool(self, body: Mapping[str, Any]) -> Answer:
        found = self._find(body["cluster"])
        if found is None:
            return NOT_FOUND
        found["pools"][body["name"]] = self._pool(body)
        return 201, {"workerPoolID": f"pool-{body['name']}"}, {}

    def _create_zone(self, body: Mapping[str, Any]) -> Answer:
        pool = self._existing(body["cluster"], body["workerPoolID"])
        pool["zones"].append({"id": body["id"], "subnets": [{"id": body["subnetID"], "primary": True}]})
        return 201, {}, {}

    def _resize(self, body: Mapping[str, Any]) -> Answer:
        self._existing(body["cluster"], body["workerpool"])["workerCount"] = body["size"]
        return 202, {}, {}

    def _label(self, body: Mapping[str, Any]) -> Answer:
        self._existing(body["cluster"], body["workerpool"])["labels"] = body["labels"]
        return 202, {}, {}

    def _existing(self, cluster: str, pool: str) -> dict[str, Any]:
        found = self._find(cluster)
        assert found is not None
        existing: dict[str, Any] = found["pools"][pool]
        return existing

    def _delete(self, parts: list[str]) -> Answer:
        found = self._find(parts[0])
        if found is None:
            return NOT_FOUND
        match parts[1:]:
            case []:
                found["state"], found["questions"] = "deleting", 0
            case ["workerpools", pool]:
                if found["pools"].pop(pool, None) is None:
                    return NOT_FOUND
            case ["workerpools", pool, "zones", zone]:
                zones = found["pools"][pool]["zones"]
                zones[:] = [item for item in zones if item["id"] != zone]
        return 204, None, {}

    def _kubeconfig(self, body: Mapping[str, Any]) -> Answer:
        found = self._find(body["cluster"])
        if found is None:
            return NOT_FOUND
        assert (body["format"], body["admin"]) == ("zip", True)
        name = found["name"]
        text = self.kubeconfig(name) if self.kubeconfig else admin_kubeconfig(name, life=self.life)
        return 200, archive(text), {}


def admin_kubeconfig(name: str, *, life: timedelta = timedelta(days=365)) -> str:
    """With a client certificate as data, as what is read out of the archive."""
    begins = datetime.now(UTC) - timedelta(days=1)
    shape = authorities.Shape(f"admin of {name}", ca=False, usage=None, begins=begins, ends=begins + life)
    root = authorities.root()
    own = authorities.authority(shape, authorities.key(number=31), root)
    data = {
        key: base64.b64encode(text.encode()).decode()
        for key, text in {"ca": root.pem, "cert": own.pem, "key": own.key}.items()
    }
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": name,
                    "cluster": {
                        "server": f"https://{name}.example.com:30000",
                        "certificate-authority-data": data["ca"],
                    },
                }
            ],
            "contexts": [{"name": f"{name}/admin", "context": {"cluster": name, "user": "admin"}}],
            "current-context": f"{name}/admin",
            "users": [
                {"name": "admin", "user": {"client-certificate-data": data["cert"], "client-key-data": data["key"]}}
            ],
        }
    )


def archive(kubeconfig: str) -> bytes:
    """As IBM Cloud sends it: the kubeconfig, and what it names in files beside it."""
    document = yaml.safe_load(kubeconfig)
    files = {}
    for key, entry in (("clusters", "cluster"), ("users", "user")):
        for item in document[key]:
            for name, file in (
                ("certificate-authority", "ca-fra02-mesh.pem"),
                ("client-certificate", "admin.pem"),
                ("client-key", "admin-key.pem"),
            ):
                data = item[entry].pop(f"{name}-data", None)
                if data is not None:
                    item[entry][name] = file
                    files[file] = base64.b64decode(data)
    files["kube-config-fra02-mesh.yml"] = yaml.safe_dump(document).encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as opened:
        for file, contents in files.items():
            opened.writestr(f"kubeConfig123/{file}", contents)
    return made.getvalue()


@contextmanager
def running(ibm: SmallIbm) -> Iterator[SmallIbm]:
    """Serve on the loopback address."""
    turn = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            query = {key: values[0] for key, values in parse_qs(url.query).items()}
            with turn:
                status, answer, headers = ibm.answer(
                    Asked(self.command, url.path, query, body, dict(self.headers.items()))
                )
            if status == 0:
                self.close_connection = True
                return
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            for key, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _do  # noqa: N815 - the server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ibm.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield ibm
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
