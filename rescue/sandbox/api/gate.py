"""The server's gate: who sends a request (401), as whom (impersonation), and whether they may (403)."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from rescue.sandbox.access.identity import AUTHENTICATED, PREFIX, Tokens, User, account_user
from rescue.sandbox.access.rbac import Attributes, judge
from rescue.sandbox.api.wanted import wanted_by
from rescue.sandbox.status import ApiError, unauthorized
from rescue.sandbox.store import Store

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_USER = web.RequestKey("user", User)
_SCHEME = "Bearer "


def gate(store: Store, tokens: Tokens, open_paths: tuple[str, ...]) -> Middleware:
    """A middleware that lets those in who may; ``open_paths`` need no token."""

    @web.middleware
    async def check(request: web.Request, handler: _Handler) -> web.StreamResponse:
        if request.path not in open_paths:
            user = _acting(store, request, _known(tokens, request))
            require(store, user, wanted_by(request.method, request.path, request.query))
            request[_USER] = user
        return await handler(request)

    return check


def user_of(request: web.Request) -> User:
    """Who sent the request."""
    return request[_USER]


def require(store: Store, user: User, wanted: Attributes) -> None:
    """ApiError 403, in the server's words, when the user may not."""
    verdict = judge(store, user, wanted)
    if not verdict.allowed:
        raise _forbidden(user, wanted, verdict.reason)


def _known(tokens: Tokens, request: web.Request) -> User:
    given = request.headers.get("Authorization", "")
    user = tokens.user(given.removeprefix(_SCHEME)) if given.startswith(_SCHEME) else None
    if user is None:
        raise unauthorized()
    return user


def _acting(store: Store, request: web.Request, user: User) -> User:
    """The user that the request wants to be taken for, if its sender may do that."""
    name = request.headers.get("Impersonate-User", "")
    if not name:
        return user
    namespace, _, account = name.removeprefix(PREFIX).partition(":")
    if name.startswith(PREFIX):
        require(store, user, Attributes("impersonate", "", "serviceaccounts", "", namespace, account))
        return account_user(namespace, account)
    require(store, user, Attributes("impersonate", "", "users", name=name))
    groups = request.headers.getall("Impersonate-Group", [])
    for group in groups:
        require(store, user, Attributes("impersonate", "", "groups", name=group))
    return User(name, tuple(dict.fromkeys((*groups, AUTHENTICATED))))


def _forbidden(user: User, wanted: Attributes, reason: str) -> ApiError:
    who = f'User "{user.name}" cannot {wanted.verb}'
    tail = f": {reason}" if reason else ""
    if wanted.path:
        return ApiError(403, "Forbidden", f'forbidden: {who} path "{wanted.path}"{tail}', {})
    qualified = f"{wanted.resource}.{wanted.group}" if wanted.group else wanted.resource
    subject = f'{qualified} "{wanted.name}"' if wanted.name else qualified
    where = f'in the namespace "{wanted.namespace}"' if wanted.namespace else "at the cluster scope"
    what = f'{who} resource "{wanted.full_resource}" in API group "{wanted.group}" {where}{tail}'
    details = {"name": wanted.name} if wanted.name else {}
    details |= {"group": wanted.group} if wanted.group else {}
    return ApiError(403, "Forbidden", f"{subject} is forbidden: {what}", details | {"kind": wanted.resource})
