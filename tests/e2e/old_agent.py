"""The agent as an older version would be: it speaks an earlier protocol of documents."""

import sys

from octavia.amphora import __main__, agent
from octavia.domain import document

if __name__ == "__main__":
    vars(agent)["PROTOCOL"] = document.PROTOCOL - 1
    sys.exit(__main__.main())
