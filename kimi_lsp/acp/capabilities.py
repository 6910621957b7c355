"""What `initialize` answers. The standard library alone: a client waits for it."""

from kimi_lsp import __version__

PROTOCOL_VERSION = 1  # the only one; a client that wants another decides whether it goes on
AGENT_NAME = "kimi-auditor"
LOCAL_METHOD = "configured"
SETUP_METHOD = "doctor"


def initialize_result(*, offers_terminal: bool) -> dict[str, object]:
    """The result of `initialize`. A terminal method is told only to clients that run such: the protocol demands it."""
    methods: list[dict[str, object]] = [
        {
            "id": LOCAL_METHOD,
            "name": "Use the configured key",
            "description": "Takes the key from the user's configuration or environment. "
            "Without one everything that needs no model works.",
        }
    ]
    if offers_terminal:
        methods.append(
            {
                "type": "terminal",
                "id": SETUP_METHOD,
                "name": "Check the set-up",
                "description": "Shows which key, endpoint and model are configured, and what is missing.",
                "args": ["--check"],
                "env": {},
            }
        )
    return {
        "protocolVersion": PROTOCOL_VERSION,
        "agentInfo": {"name": AGENT_NAME, "title": "Kimi Auditor", "version": __version__},
        "agentCapabilities": {
            "loadSession": True,
            "promptCapabilities": {"image": False, "audio": False, "embeddedContext": True},
            "mcpCapabilities": {"http": True, "sse": False},
            "sessionCapabilities": {"list": {}, "delete": {}, "additionalDirectories": {}, "resume": {}, "close": {}},
            "auth": {"logout": {}},
        },
        "authMethods": methods,
    }
