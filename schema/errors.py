"""Error codes, as clients read them: the tree of `errors.py`."""

from typing import Any

import strawberry

from errors import ErrorCode

_MEANING = {
    ErrorCode.UNAUTHENTICATED: "Nobody is signed in, or the token is no longer good: sign in again.",
    ErrorCode.FORBIDDEN: "Signed in, without the right.",
    ErrorCode.NOT_FOUND: "No such thing, or not one of yours.",
    ErrorCode.INVALID: "The input breaks a rule; `field` says which part, where one is to blame.",
    ErrorCode.CONFLICT: "The input is fine, the state of things is not.",
    ErrorCode.SLOT_TAKEN: "Nobody is free at the time that was asked for; `nearest` lists free slots around it:"
    " `[{ staff, startsAt, endsAt }]`, and `taken` of several dates those that are not free: `[{ startsAt, reason }]`.",
    ErrorCode.EXPIRED: "A cursor from which a subscription cannot be resumed any more: begin anew.",
    ErrorCode.LIMITED: "Too much, or too often; `retryAfter` says in how many seconds to try again, where that helps.",
    ErrorCode.DOCUMENT_NOT_TRUSTED: "Only documents that are known beforehand are answered here, by their id.",
    ErrorCode.PERSISTED_QUERY_NOT_FOUND: "No document that is known here has this id.",
    ErrorCode.NOT_CONFIGURED: "An operator has to set something first.",
    ErrorCode.UNAVAILABLE: "An outside system did not answer as it should: try again.",
    ErrorCode.INTERNAL: "A mistake of ours, logged under `id`.",
}

ERROR_CODE: Any = strawberry.enum(ErrorCode, description=ErrorCode.__doc__)
for _value in ERROR_CODE.__strawberry_definition__.values:
    _value.description = _MEANING[ErrorCode(_value.value)]
