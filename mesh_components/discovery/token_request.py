"""Requests tokens of an account, and finds out when another one is due.

Talks to the API server with the cluster's own kubeconfig, exec plugins included, by the official client, which is not
imported before something is to be asked. Runs inside of Pulumi's host of dynamic providers: what it has to say it logs,
and what it raises holds neither a token nor a kubeconfig.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import yaml
from pulumi.dynamic import CreateResult, DiffResult, ResourceProvider, UpdateResult
from pulumi.runtime.rpc import UNKNOWN

from mesh_components.kubernetes.official import LOADING

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_TIMEOUT = (10, 30)
"""Seconds to connect, and to answer."""
_UNAUTHORIZED = 401
_ASKED = ("account", "namespace", "lifetimeHours", "secret")
"""Inputs that make the token another one."""
_TRUSTED = "kube-root-ca.crt"
"""The ConfigMap in every namespace with what signs the API server's certificate."""


class TokenRequests(ResourceProvider):
    """The dynamic provider. A token is no object of the cluster, so there is nothing to delete: what it is bound to is
    deleted, and it ends."""

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Ask for another token where another one is wanted, the end is near, or the server refuses this one."""
        replaces = [key for key in ("account", "namespace") if olds.get(key) != news[key]]
        changed = any(olds.get(key) != news[key] for key in _ASKED)
        return DiffResult(changes=changed or _is_due(olds, news) or _is_refused(olds, news), replaces=replaces)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Request the first token."""
        return CreateResult(f"{props['namespace']}/{props['account']}", _requested(props))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Request another one; the one before stays valid until its end."""
        return UpdateResult(_requested(news))


def _now() -> datetime:
    return datetime.now(UTC)


def _is_due(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether the end is nearer than the margin; a margin that the granted life is too short for is half of that."""
    granted = timedelta(seconds=olds["granted"])
    margin = min(timedelta(hours=news["renewBeforeHours"]), granted / 2)
    return datetime.fromisoformat(olds["expires"]) - _now() <= margin


def _is_refused(olds: Mapping[str, Any], news: Mapping[str, Any]) -> bool:
    """Whether the server that granted the token does not accept it any more. One that cannot be asked changes nothing,
    and neither does one that never accepted it, such as a proxy with tokens of its own."""
    if news["kubeconfig"] == UNKNOWN or not olds["verified"]:
        return False
    try:
        return not _authenticates(news["kubeconfig"], olds["token"])
    except _Unanswered as error:
        where = f"{news['namespace']}/{news['account']}"
        _LOG.warning("the token of %s cannot be tried: %s; taken to be valid", where, error)
        return False


def _requested(props: Mapping[str, Any]) -> dict[str, Any]:
    account, namespace = props["account"], props["namespace"]
    asked = timedelta(hours=props["lifetimeHours"])
    try:
        token, expires, authority = _with_client(props["kubeconfig"], lambda client: _ask(client, props))
        granted = expires - _now()
        verified = _authenticates(props["kubeconfig"], token)
    except _Unanswered as error:
        fix = (
            "check that the cluster is reachable, that the account exists, and that this program may request its tokens"
        )
        raise RuntimeError(f"no token of {namespace}/{account}: {error}; {fix}") from None
    if granted < asked * 0.9:
        _LOG.warning(
            "the API server granted the token of %s/%s only %s hours of %s; it is renewed in the last %s",
            namespace, account, _hours(granted), _hours(asked), _hours(min(granted / 2, _margin(props))),
        )  # fmt: skip
    if not verified:
        _LOG.warning("what answers for %s/%s accepts no tokens of the cluster; they are not tried", namespace, account)
    return {
        **{key: props[key] for key in _ASKED},
        "token": token,
        "certificateAuthority": base64.b64encode(authority.encode()).decode(),
        "expires": expires.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "granted": int(granted.total_seconds()),
        "verified": verified,
    }


def _margin(props: Mapping[str, Any]) -> timedelta:
    return timedelta(hours=props["renewBeforeHours"])


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:.1f}".removesuffix(".0")


def _ask(client: Any, props: Mapping[str, Any]) -> tuple[str, datetime, str]:
    from kubernetes.client import CoreV1Api

    core = CoreV1Api(client)
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {
            # Whole: Pulumi hands every number over as one with a fraction, which the client refuses here.
            "expirationSeconds": int(props["lifetimeHours"] * 3600),
            # By name alone: whoever made the Secret anew meant its tokens to be new as well.
            "boundObjectRef": {"apiVersion": "v1", "kind": "Secret", "name": props["secret"]["name"]},
        },
    }
    made = core.create_namespaced_service_account_token(
        props["account"], props["namespace"], body, _request_timeout=_TIMEOUT
    )
    trusted = core.read_namespaced_config_map(_TRUSTED, props["namespace"], _request_timeout=_TIMEOUT)
    return str(made.status.token), made.status.expiration_timestamp, str(trusted.data["ca.crt"])


def _authenticates(kubeconfig: str, token: str) -> bool:
    """Whether the server knows whose token it is (SelfSubjectReview: everybody may ask that of himself)."""

    def review(client: Any) -> bool:
        from kubernetes.client import ApiException, AuthenticationV1Api

        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            AuthenticationV1Api(client).create_self_subject_review(body, _request_timeout=_TIMEOUT)
        except ApiException as error:
            if error.status == _UNAUTHORIZED:
                return False
            raise
        return True

    return _with_client(_as_bearer(kubeconfig, token), review)


def _as_bearer(kubeconfig: str, token: str) -> str:
    """The kubeconfig with the token in the place of its own credentials."""
    document = yaml.safe_load(kubeconfig)
    users = [{"name": item["name"], "user": {"token": token}} for item in document["users"]]
    return yaml.safe_dump({**document, "users": users})


class _Unanswered(Exception):  # noqa: N818 (it says what is so)
    """No useful answer, in words without any secret."""


def _with_client(kubeconfig: str, ask: Callable[[Any], T]) -> T:
    """Ask with a client of this kubeconfig. The client's own messages quote headers and files; none gets out."""
    with LOADING:
        from kubernetes.client import ApiClient, ApiException, Configuration
        from kubernetes.config import load_kube_config_from_dict
        from kubernetes.config.config_exception import ConfigException
        from urllib3.exceptions import HTTPError

    try:
        settings = Configuration()
        settings.retries = False
        with LOADING:
            load_kube_config_from_dict(yaml.safe_load(kubeconfig), client_configuration=settings, persist_config=False)
        with ApiClient(settings) as client:
            return ask(client)
    except ApiException as error:
        raise _Unanswered(f"the API server answers {error.status} {_message(error.body)}".rstrip()) from None
    except HTTPError as error:
        raise _Unanswered(f"the API server does not answer ({type(error).__name__})") from None
    except (ConfigException, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _Unanswered(f"the kubeconfig cannot be used ({type(error).__name__})") from None


def _message(body: Any) -> str:
    """What the server says of a refusal; of anything else that answered, nothing."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return ""
