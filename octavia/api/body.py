"""Request bodies: JSON, one object under its root key."""

from typing import Any

import falcon
import msgspec

from octavia.domain.refusal import Invalid

decoder = msgspec.json.Decoder()


def under(request: falcon.Request, root: str) -> Any:
    """What stands under the root key. Raises Invalid for a body of any other shape."""
    body = decoded(request.bounded_stream.read(request.context.largest_body))
    if not isinstance(body, dict) or root not in body:
        raise Invalid(f'The body must be a JSON object with the key "{root}".')
    for name in body:
        if name != root:
            raise Invalid(f"Unknown attribute for argument body: {name}. Only {root} is expected.")
    return body[root]


def wish(request: falcon.Request, root: str) -> dict[str, Any]:
    """The attributes of one object."""
    found = under(request, root)
    if not isinstance(found, dict):
        raise Invalid(f'"{root}" must be a JSON object.')
    return found


def decoded(raw: bytes) -> Any:
    if not raw:
        raise Invalid("The request has no body; a JSON object is expected.")
    try:
        body = decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Invalid(f"The body is not valid JSON: {error}.") from None
    except RecursionError:
        raise Invalid("The body is nested too deeply.") from None
    if b"\\u0000" in raw:
        refuse_nul(body)
    return body


def refuse_nul(value: Any) -> None:
    """No text may hold the character NUL, which databases and configuration files cannot keep."""
    if isinstance(value, str) and "\0" in value:
        raise Invalid("A text may not contain the character NUL.")
    if isinstance(value, dict):
        for item in (*value, *value.values()):
            refuse_nul(item)
    if isinstance(value, list):
        for item in value:
            refuse_nul(item)
