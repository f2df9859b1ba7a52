"""Users and the tokens by which the server knows them."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any

from rescue.sandbox.objects import Object
from rescue.sandbox.store import NotFound, Store

ADMIN = "rescue-sandbox-admin"
MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
PREFIX = "system:serviceaccount:"
# The kubelet's tokens are renewed long before they end; these are simply good for long.
_LIFE_SECONDS = 365 * 24 * 3600
_ISSUER = "https://kubernetes.default.svc.cluster.local"


@dataclass(frozen=True)
class User:
    """Somebody whom the server knows."""

    name: str
    groups: tuple[str, ...] = (AUTHENTICATED,)
    uid: str = ""

    def info(self) -> Object:
        """The user as a review shows it."""
        return {"username": self.name} | ({"uid": self.uid} if self.uid else {}) | {"groups": list(self.groups)}


def account_user(namespace: str, name: str, uid: str = "") -> User:
    """A ServiceAccount as a user."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
    return User(f"{PREFIX}{namespace}:{name}", groups, uid)


class Tokens:
    """Makes and reads bearer tokens: the administrator's is ``secret``, those of accounts are JWTs signed with it."""

    def __init__(self, store: Store, secret: str) -> None:
        self._store = store
        self._secret = secret.encode()

    def issue(self, namespace: str, account: str, seconds: int = _LIFE_SECONDS) -> str:
        """A token of a ServiceAccount; NotFound when there is no such account."""
        uid = self._store.get("serviceaccounts", namespace, account)["metadata"]["uid"]
        now = int(time.time())
        claims = {
            "aud": [_ISSUER],
            "exp": now + seconds,
            "iat": now,
            "iss": _ISSUER,
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": account, "uid": uid}},
            "nbf": now,
            "sub": f"{PREFIX}{namespace}:{account}",
        }
        signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def user(self, token: str) -> User | None:
        """Whose token it is; None for one that is not good (any more)."""
        if hmac.compare_digest(token.encode(), self._secret):
            return User(ADMIN, (MASTERS, AUTHENTICATED))
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(signed).encode()):
            return None
        return self._account(_claims(signed.partition(".")[2]))

    def _account(self, claims: dict[str, Any]) -> User | None:
        known = claims["kubernetes.io"]
        namespace, account = known["namespace"], known["serviceaccount"]
        try:
            found = self._store.get("serviceaccounts", namespace, account["name"])["metadata"]
        except NotFound:
            return None
        good = found["uid"] == account["uid"] and claims["exp"] > time.time()
        return account_user(namespace, account["name"], account["uid"]) if good else None

    def _signature(self, signed: str) -> str:
        return _encoded(hmac.new(self._secret, signed.encode(), hashlib.sha256).digest())


def _claims(part: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except binascii.Error as error:  # the signature is ours, so the claims are too
        raise AssertionError("a signed token that cannot be read") from error
    return found


def _part(claims: dict[str, Any]) -> str:
    return _encoded(json.dumps(claims, separators=(",", ":")).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
