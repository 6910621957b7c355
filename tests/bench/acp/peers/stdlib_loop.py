"""A bare loop on the standard library: the floor under any ACP agent in Python. With names of packages to import first.

It answers `initialize` and nothing else, and imports nothing that an agent could do without.
"""

import json
import sys

if len(sys.argv) > 1:
    import importlib

    for name in sys.argv[1:]:
        importlib.import_module(name)

ANSWER = '{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":1,"agentCapabilities":{},"authMethods":[]}}\n'
for line in sys.stdin.buffer:
    message = json.loads(line)
    if "id" in message:
        sys.stdout.write(ANSWER % json.dumps(message["id"]))
        sys.stdout.flush()
