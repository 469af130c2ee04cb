"""The L7 rule: one thing that a request must show for its policy to apply. All rules of a policy must match."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from octavia.domain.declare import END, HIDDEN, SYSTEM, Identifier, Noun, Text

LINE = r"^[^\x00-\x1f\x7f]+" + END


class L7Rule(Noun, frozen=True, kw_only=True):
    singular: ClassVar[str] = "rule"
    plural: ClassVar[str] = "rules"
    title: ClassVar[str] = "L7 Rule"

    name: Annotated[Text, SYSTEM, HIDDEN] = ""
    """Rules have none."""
    l7policy_id: Annotated[Identifier, SYSTEM, HIDDEN]
    type: Annotated[
        Literal[
            "HOST_NAME",
            "PATH",
            "FILE_TYPE",
            "HEADER",
            "COOKIE",
            "SSL_CONN_HAS_CERT",
            "SSL_VERIFY_RESULT",
            "SSL_DN_FIELD",
        ],
        Meta(description="What of the request is looked at."),
    ]
    compare_type: Annotated[
        Literal["REGEX", "STARTS_WITH", "ENDS_WITH", "CONTAINS", "EQUAL_TO"], Meta(description="How it is compared.")
    ]
    key: Annotated[
        Annotated[str, Meta(max_length=255, pattern=LINE)] | None,
        Meta(description="The name of the header, cookie or field of the distinguished name."),
    ] = None
    value: Annotated[Annotated[str, Meta(max_length=255, pattern=LINE)], Meta(description="What it is compared with.")]
    invert: Annotated[bool, Meta(description="Matches where it would not.")] = False
