"""Trusted documents: those of our own front ends, known before they ask, and asked for by the SHA-256 of their text.

A manifest is written when a front end is built: `{"<sha256>": "<document>"}` (graphql-codegen's
`persisted-documents.json`, with `hashAlgorithm: "sha256"`), or Apollo's `{"operations": [{"id": …, "body": …}]}`.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import orjson

from engine.documents import DocumentErrors, Documents
from errors import NotConfigured

PREFIX = "sha256:"  # of a documentId, as GraphQL over HTTP has it (appendix on persisted documents)


class TrustedDocuments:
    """Texts by hash. Where they are the `only` ones, no other text is run."""

    def __init__(self, texts: Mapping[str, str] | None = None, *, only: bool = False) -> None:
        self.only = only
        self._texts = dict(texts or {})

    @classmethod
    def read(cls, manifest: Path, *, only: bool = False) -> Self:
        """Those of a manifest. Raises NotConfigured, saying what is wrong with it."""
        try:
            content = orjson.loads(manifest.read_bytes())
        except OSError as error:
            raise NotConfigured(f"TRUSTED_DOCUMENTS: {manifest} cannot be read: {error.strerror}.") from error
        except orjson.JSONDecodeError as error:
            raise NotConfigured(f"TRUSTED_DOCUMENTS: {manifest} is no JSON: {error}.") from error
        return cls(_texts(manifest, content), only=only)

    def and_ours(self, texts: Iterable[str]) -> Self:
        """With documents of our own pages, which no manifest has to name."""
        return type(self)(self._texts | {sha256(text): text for text in texts}, only=self.only)

    def text(self, digest: str) -> str | None:
        """The document of a SHA-256 in lower-case hexadecimal; None for one that is not known."""
        return self._texts.get(digest)

    def must_be_valid(self, documents: Documents) -> None:
        """Raises NotConfigured, naming the first that the schema or a limit refuses."""
        for digest, text in self._texts.items():
            try:
                documents.check(text)
            except DocumentErrors as refused:
                raise NotConfigured(
                    f"TRUSTED_DOCUMENTS: {_named(digest, text)} cannot be run: {refused.errors[0].message}"
                ) from refused


def sha256(text: str) -> str:
    """Of a document's text, as its id has it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _texts(manifest: Path, content: Any) -> dict[str, str]:
    if isinstance(content, dict) and isinstance(content.get("operations"), list):
        operations = content["operations"]
        pairs = [(each.get("id"), each.get("body")) if isinstance(each, dict) else (None, None) for each in operations]
    elif isinstance(content, dict):
        pairs = list(content.items())
    else:
        pairs = [(None, None)]
    texts = {}
    for key, text in pairs:
        if not isinstance(key, str) or not isinstance(text, str):
            raise NotConfigured(f'TRUSTED_DOCUMENTS: {manifest} must be {{"<sha256>": "<document>"}}, or Apollo\'s.')
        digest = key.removeprefix(PREFIX)
        if digest != sha256(text):
            raise NotConfigured(
                f"TRUSTED_DOCUMENTS: the key of {_named(digest, text)} is not the SHA-256 of its text, in lower-case"
                " hexadecimal. Of graphql-codegen, set `hashAlgorithm` to `sha256`."
            )
        texts[digest] = text
    return texts


def _named(digest: str, text: str) -> str:
    operation = re.search(r"\b(query|mutation|subscription)\s+(\w+)", text)
    return f"{operation[1]} {operation[2]} ({digest[:12]}…)" if operation else f"{digest[:12]}…"
