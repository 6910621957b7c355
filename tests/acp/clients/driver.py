"""A client on the Python SDK, driven from outside: lines in and out as of driver.mjs. It runs on several releases.

It is for the SDK's own environment: nothing here comes from this project.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false
# The SDK is not among the project's packages: the agent needs none of it, and the tests no certain release.

import asyncio
import json
import sys
from typing import Any

import acp
from acp import schema

CALLS = {
    "initialize": ("initialize", "InitializeRequest"),
    "authenticate": ("authenticate", "AuthenticateRequest"),
    "logout": ("logout", "LogoutRequest"),
    "session/new": ("new_session", "NewSessionRequest"),
    "session/load": ("load_session", "LoadSessionRequest"),
    "session/list": ("list_sessions", "ListSessionsRequest"),
    "session/delete": ("delete_session", "DeleteSessionRequest"),
    "session/resume": ("resume_session", "ResumeSessionRequest"),
    "session/close": ("close_session", "CloseSessionRequest"),
    "session/set_mode": ("set_session_mode", "SetSessionModeRequest"),
    "session/set_config_option": ("set_config_option", "SetSessionConfigOptionSelectRequest"),
    "session/prompt": ("prompt", "PromptRequest"),
    "session/cancel": ("cancel", "CancelNotification"),
}


def say(**value: Any) -> None:
    """Tell something to whoever drives."""
    print(json.dumps(value), flush=True)


def wire(model: Any) -> Any:
    """A model as it travels."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True) if model is not None else {}


class Panel:
    """Answers the agent's questions as it was told to, and shows what comes."""

    def __init__(self) -> None:
        self.behaviour: dict[str, Any] = {"permission": "reject", "files": {}}

    async def request_permission(self, session_id: str, tool_call: Any, options: Any, **meta: Any) -> Any:
        params = {"sessionId": session_id, "toolCall": wire(tool_call), "options": [wire(one) for one in options]}
        say(asked="session/request_permission", params=params)
        kind = self.behaviour["permission"]
        chosen = next((one.option_id for one in options if one.kind.startswith(kind)), None)
        if chosen is None:
            return schema.RequestPermissionResponse(outcome=schema.DeniedOutcome(outcome="cancelled"))
        outcome = schema.AllowedOutcome(outcome="selected", option_id=chosen)
        return schema.RequestPermissionResponse(outcome=outcome)

    async def read_text_file(self, session_id: str, path: str, **more: Any) -> Any:
        say(asked="fs/read_text_file", params={"sessionId": session_id, "path": path})
        if path not in self.behaviour["files"]:
            raise acp.RequestError(-32002, "no such file here")
        return schema.ReadTextFileResponse(content=self.behaviour["files"][path])

    async def write_text_file(self, session_id: str, path: str, **more: Any) -> Any:
        say(asked="fs/write_text_file", params={"sessionId": session_id, "path": path})
        raise acp.RequestError(-32601, "this client does not do that")

    async def session_update(self, session_id: str, update: Any, **meta: Any) -> None:
        say(update={"sessionId": session_id, "update": wire(update)})


async def call(connection: Any, method: str, params: Any) -> Any:
    """Make a request or a notification the way the SDK's users do."""
    name, model = CALLS[method]
    given = getattr(schema, model).model_validate(params)
    fields = {field: getattr(given, field) for field in given.model_fields_set}
    fields.pop("type", None)
    return wire(await getattr(connection, name)(**fields))


async def ask(connection: Any, identifier: int, method: str, params: Any) -> None:
    """Make a request and tell what came of it."""
    try:
        say(id=identifier, result=await call(connection, method, params))
    except acp.RequestError as error:
        say(id=identifier, error={"code": error.code, "message": str(error)})


async def main() -> None:
    """Drive until the input ends."""
    panel, loop = Panel(), asyncio.get_running_loop()
    async with acp.spawn_agent_process(panel, *sys.argv[1:], use_unstable_protocol=True) as (connection, _):
        say(methods=[method for method, (name, _) in CALLS.items() if hasattr(connection, name)])
        async with asyncio.TaskGroup() as tasks:
            while line := await loop.run_in_executor(None, sys.stdin.readline):
                told = json.loads(line)
                if "behave" in told:
                    panel.behaviour.update(told["behave"])
                elif "id" in told:
                    tasks.create_task(ask(connection, told["id"], told["method"], told["params"]))
                else:
                    await call(connection, told["method"], told["params"])


asyncio.run(main())
