"""What a GraphQL request asks for, from its parameters: https://graphql.github.io/graphql-over-http/draft/

A document comes as text (`query`), or is a trusted one: `documentId: "sha256:…"` as the appendix on persisted documents
has it, or `extensions.persistedQuery.sha256Hash`, which clients with automatic persisted queries send.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from engine.execution import Asked
from engine.trusted import PREFIX, TrustedDocuments, sha256
from errors import ErrorCode

Headers = Sequence[tuple[bytes, bytes]]


class Refusal(Exception):
    """This is no GraphQL request: the status says why, the message says what would be."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: ErrorCode | None = None,
        field: str | None = None,
        headers: Headers = (),
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.field, self.headers = status, message, code, field, headers

    @property
    def body(self) -> bytes:
        code = self.code or (ErrorCode.LIMITED if self.status in (408, 413, 414) else ErrorCode.INVALID)
        blamed = {"field": self.field} if self.field else {}
        return orjson.dumps({"errors": [{"message": self.message, "extensions": {"code": code.value, **blamed}}]})


def asked_of(given: object, trusted: TrustedDocuments) -> Asked:
    """The parameters, each of its type. Raises Refusal."""
    if not isinstance(given, dict):
        raise Refusal(400, "The body must be one JSON object with a `query`: one operation at a time.")
    variables, name, extensions = given.get("variables"), given.get("operationName"), given.get("extensions")
    if not (name is None or isinstance(name, str)):
        raise Refusal(400, "`operationName` must be text.", field="operationName")
    if not (variables is None or isinstance(variables, dict)):
        raise Refusal(400, "`variables` must be a JSON object.", field="variables")
    if not (extensions is None or isinstance(extensions, dict)):
        raise Refusal(400, "`extensions` must be a JSON object.", field="extensions")
    return Asked(_document(given, extensions or {}, trusted), variables, name)


def _document(given: dict[str, Any], extensions: dict[str, Any], trusted: TrustedDocuments) -> str:
    text, digest = given.get("query"), _digest(given.get("documentId"), extensions.get("persistedQuery"))
    if text is None and digest is not None:
        return _trusted(digest, trusted)
    if not isinstance(text, str) or not text:
        raise Refusal(400, "`query` must be a GraphQL document.", field="query")
    if trusted.only:
        raise Refusal(
            400,
            "Only trusted documents are answered here: send the `documentId` of one, without `query`.",
            code=ErrorCode.DOCUMENT_NOT_TRUSTED,
            field="query",
        )
    if digest is not None and digest != sha256(text):
        raise Refusal(400, "The hash is not the SHA-256 of `query`.", field="query")
    return text


def _digest(document_id: Any, persisted: Any) -> str | None:
    """The hash that a document is asked for by, None without one."""
    if document_id is not None:
        if not isinstance(document_id, str) or not document_id.startswith(PREFIX):
            raise Refusal(400, f"`documentId` must be `{PREFIX}` and 64 hexadecimal digits.", field="documentId")
        return document_id.removeprefix(PREFIX)
    if persisted is None:
        return None
    digest = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(digest, str):
        raise Refusal(400, "`persistedQuery` must be an object with `sha256Hash`.", field="extensions.persistedQuery")
    return digest


def _trusted(digest: str, trusted: TrustedDocuments) -> str:
    text = trusted.text(digest)
    if text is None:
        otherwise = "" if trusted.only else " Send `query` instead."
        raise Refusal(
            400,
            f"PersistedQueryNotFound: no trusted document has this id.{otherwise}",  # clients look for the first word
            code=ErrorCode.PERSISTED_QUERY_NOT_FOUND,
        )
    return text
