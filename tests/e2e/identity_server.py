"""Keystone, served by waitress. Runs in an environment of Keystone's own: identity_server.py CONFIG PORT"""

import os
import sys

os.environ["OS_KEYSTONE_CONFIG_FILES"], port = sys.argv[1:3]
# Keystone reads the command line, when it is imported.
sys.argv = ["keystone"]

from keystone.wsgi.api import application  # noqa: E402
from waitress import serve  # noqa: E402

serve(application, host="127.0.0.1", port=int(port), threads=4)
