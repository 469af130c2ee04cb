"""Writes docs/conformance.md anew."""

from tests.conformance.listing import PAGE, page

PAGE.write_text(page())
print(f"{PAGE} is written")
