"""Form bodies in: brackets decoded, each parameter checked against what its operation accepts.

An operation's parameters are a plain shape: a reader for text, a dict for a hash, a one-item list for an array:

    {"name": required(text), "address": {"city": text}, "line_items": [{"price": text, "quantity": integer}]}
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from sandbox.stripe_errors import StripeError, missing, unknown

Reader = Callable[[str, str], Any]
Shape = Reader | dict[str, Any] | list[Any]
MAX_FIELDS = 5_000


class Required(NamedTuple):
    shape: Shape


def required(shape: Shape) -> Required:
    return Required(shape)


def decode(body: str) -> dict[str, Any]:
    """`a[b][0]=x` becomes `{"a": {"b": {"0": "x"}}}`: every level a dict, arrays keyed by their index."""
    try:
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise StripeError("Too many parameters.") from error
    form: dict[str, Any] = {}
    for name, value in pairs:
        parts = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        if not parts:
            raise StripeError(f"Invalid parameter name: {name}")
        level = form
        for part in parts[:-1]:
            level = level.setdefault(part or str(len(level)), {})
            if not isinstance(level, dict):
                raise StripeError(f"Invalid object at {name}", param=name)
        level[parts[-1] or str(len(level))] = value
    return form


def read(form: Mapping[str, Any], shape: dict[str, Any], path: str = "") -> dict[str, Any]:
    """The typed values of a decoded form. Raises StripeError naming the first parameter that does not fit."""
    values = {}
    for name in form:
        if name not in shape:
            raise unknown(_join(path, name))
    for name, expected in shape.items():
        inner = expected.shape if isinstance(expected, Required) else expected
        if name in form:
            values[name] = _read(form[name], inner, _join(path, name))
        elif isinstance(expected, Required):
            raise missing(_join(path, name))
    return values


def text(value: str, param: str) -> str:
    if len(value) > 5000:
        raise StripeError(f"Invalid string: {value[:20]}…; must be at most 5000 characters", param=param)
    return value


def integer(value: str, param: str) -> int:
    if not re.fullmatch(r"-?\d{1,18}", value):
        raise StripeError(f"Invalid integer: {value}", code="parameter_invalid_integer", param=param)
    return int(value)


def decimal(value: str, param: str) -> float:
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value):
        raise StripeError(f"Invalid decimal: {value}", param=param)
    return float(value)


def boolean(value: str, param: str) -> bool:
    if value not in ("true", "false"):
        raise StripeError(f"Invalid boolean: {value}", param=param)
    return value == "true"


def currency(value: str, param: str) -> str:
    if not re.fullmatch(r"[a-zA-Z]{3}", value):
        raise StripeError(f"Invalid currency: {value}", param=param)
    return value.lower()


def email(value: str, param: str) -> str:
    if value and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", value):
        raise StripeError(f"Invalid email address: {value}", code="email_invalid", param=param)
    return value


def url(value: str, param: str) -> str:
    if not re.match(r"https?://[^/\s]+", value):
        raise StripeError("Not a valid URL", code="url_invalid", param=param)
    return text(value, param)


def choice(*allowed: str) -> Reader:
    def read_choice(value: str, param: str) -> str:
        if value not in allowed:
            raise StripeError(f"Invalid {param}: must be one of {', '.join(allowed)}", param=param)
        return value

    return read_choice


def metadata(value: Any, param: str) -> dict[str, str]:
    """Free keys; an empty value unsets its key, and an empty `metadata` all of them (given here as `{}`)."""
    if value == "":
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise StripeError(f"Invalid {param}: metadata is a set of keys and strings", param=param)
    if len(value) > 50 or any(len(key) > 40 or len(text) > 500 for key, text in value.items()):
        raise StripeError("Metadata takes up to 50 keys of 40 characters and values of 500", param=param)
    return dict(value)


def _read(value: Any, shape: Shape, param: str) -> Any:
    if shape is metadata:
        return metadata(value, param)
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            raise StripeError(f"Invalid object: {value}", param=param)
        return read(value, shape, param)
    if isinstance(shape, list):
        if not isinstance(value, dict) or not all(index.isdigit() for index in value):
            raise StripeError(f"Invalid array: {value}", param=param)
        return [_read(value[index], shape[0], f"{param}[{index}]") for index in sorted(value, key=int)]
    if not isinstance(value, str):
        raise StripeError(f"Invalid string: {value}", param=param)
    return shape(value, param)


def _join(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name
