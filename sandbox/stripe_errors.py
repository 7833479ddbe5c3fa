"""Stripe's error objects: `{error: {type, code, param, message, …}}` with an HTTP status."""

from typing import Any


class StripeError(Exception):
    """An answer of 4xx or 5xx, in the vendor's shape. `more`: what else the error object holds."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.type = type
        self.code = code
        self.param = param
        self.more = more or {}

    def body(self, log_url: str) -> dict[str, Any]:
        """The JSON answered. `log_url` is where a developer can look the request up."""
        error: dict[str, Any] = {"message": str(self), "type": self.type}
        if self.code:
            error |= {
                "code": self.code,
                "doc_url": f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}",
            }
        if self.param:
            error["param"] = self.param
        return {"error": error | self.more | {"request_log_url": log_url}}


def missing(param: str) -> StripeError:
    return StripeError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def unknown(param: str) -> StripeError:
    return StripeError(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def no_such(what: str, id: str, param: str) -> StripeError:
    return StripeError(f"No such {what}: '{id}'", status=404, code="resource_missing", param=param)


def unauthorized(message: str) -> StripeError:
    return StripeError(message, status=401)


def forbidden(message: str) -> StripeError:
    return StripeError(message, status=403)


def failure(status: int) -> StripeError:
    """What Stripe says when it is Stripe that fails, or when we ask too much (429)."""
    if status == 429:
        return StripeError("Too many requests hit the API too quickly.", status=429, code="rate_limit")
    return StripeError("Sorry, something went wrong on this side of the sandbox.", status=status, type="api_error")
