"""Callers are known by name and password, from an htpasswd file with bcrypt, as oslo.middleware reads it."""

import hashlib
import hmac
import logging
import os
import secrets
from pathlib import Path

import falcon
from oslo_middleware import basic_auth
from oslo_middleware.exceptions import ConfigInvalid
from webob.exc import HTTPException

from octavia.api.caller import Authenticate, Caller, Unauthorized, project_of
from octavia.settings import SettingsError

log = logging.getLogger(__name__)
CHALLENGE = 'Basic realm="octavia"'
MOST_KEPT = 1000


def http_basic(file: Path, default_project_id: str) -> Authenticate:
    """The strategy `http_basic`: every user is admin, of the project that the X-Project-Id header names."""
    passwords = Passwords(file)

    def authenticate(request: falcon.Request, request_id: str) -> Caller:
        try:
            name, password = basic_auth.parse_token(basic_auth.parse_header(dict(request.env)))
        except HTTPException:
            raise Unauthorized(CHALLENGE) from None
        if not passwords.fit(name, password):
            raise Unauthorized(CHALLENGE)
        project_id = project_of(request, default_project_id)
        return Caller(project_id=project_id, user_id=name, is_admin=True, request_id=request_id)

    return authenticate


class Passwords:
    """The users of this file. bcrypt is slow on purpose, so a password that was right is known until the file changes,
    as a digest under a key of this process.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._key = secrets.token_bytes(32)
        self._right: set[tuple[object, ...]] = set()
        try:
            basic_auth.validate_auth_file(str(file))
        except (ConfigInvalid, HTTPException, UnicodeDecodeError) as error:
            raise SettingsError(f"[oslo_middleware] http_basic_auth_user_file = {file}: {said(error)}") from None

    def fit(self, name: str, password: bytes) -> bool:
        try:
            status = os.stat(self._file)
        except OSError as error:
            log.error("%s cannot be read: %s", self._file, error)
            return False
        digest = hmac.digest(self._key, password, hashlib.sha256)
        mark = (status.st_mtime_ns, status.st_size, status.st_ino, name, digest)
        if mark in self._right:
            return True
        if not self._asked(name, password):
            return False
        if len(self._right) >= MOST_KEPT:
            self._right = set()
        self._right.add(mark)
        return True

    def _asked(self, name: str, password: bytes) -> bool:
        try:
            basic_auth.authenticate(str(self._file), name, password)
        except (HTTPException, ValueError) as error:
            # ValueError: bcrypt takes no password above 72 bytes.
            log.info("The password of %r is not right: %s", name, said(error))
            return False
        return True


def said(error: Exception) -> str:
    if isinstance(error, ConfigInvalid):
        return "it cannot be read."
    return str(getattr(error, "detail", None) or error)
