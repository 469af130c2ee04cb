"""The L7 policy: what happens to requests that all of its rules match, instead of the listener's default pool."""

from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from octavia.domain.declare import CREATE_ONLY, END, NULL_KEEPS, Identifier, Noun, Text

LAST: Final = 2**31 - 1
"""A position behind all others."""
HTTP_URL = r"^https?://[^\s/?#\x00-\x1f\x7f]+[^\s\x00-\x1f\x7f]*" + END
Url = Annotated[str, Meta(max_length=255, pattern=HTTP_URL)]


class L7Policy(Noun, frozen=True, kw_only=True):
    singular: ClassVar[str] = "l7policy"
    plural: ClassVar[str] = "l7policies"
    title: ClassVar[str] = "L7 Policy"

    listener_id: Annotated[Identifier, CREATE_ONLY, Meta(description="The listener whose requests it looks at.")]
    description: Annotated[Text, Meta(description="For people.")] = ""
    action: Annotated[
        Literal["REJECT", "REDIRECT_TO_URL", "REDIRECT_TO_POOL", "REDIRECT_PREFIX"],
        Meta(description="What is done with a request that matches."),
    ]
    redirect_pool_id: Annotated[Identifier | None, Meta(description="The pool of REDIRECT_TO_POOL.")] = None
    redirect_url: Annotated[Url | None, Meta(description="The URL of REDIRECT_TO_URL.")] = None
    redirect_prefix: Annotated[Url | None, Meta(description="What REDIRECT_PREFIX puts before the path.")] = None
    redirect_http_code: Annotated[
        Literal[301, 302, 303, 307, 308] | None,
        Meta(description="The status of a redirect to a URL or prefix; 302 if not given."),
    ] = None
    position: Annotated[
        Annotated[int, Meta(ge=1, le=LAST)],
        NULL_KEEPS,
        Meta(description="Its place among the policies of its listener, from 1; the first that matches decides."),
    ] = LAST


TARGETS: Final = {
    "REJECT": None,
    "REDIRECT_TO_URL": "redirect_url",
    "REDIRECT_PREFIX": "redirect_prefix",
    "REDIRECT_TO_POOL": "redirect_pool_id",
}
"""Action to the field that says where to."""
WITH_CODE: Final = frozenset({"REDIRECT_TO_URL", "REDIRECT_PREFIX"})
