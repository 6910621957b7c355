// A client on the TypeScript SDK, driven from outside: JSON lines in, what it asks and sees as JSON lines out.
//
//     LIBRARY=.../acp.js node driver.mjs COMMAND [ARGUMENT...]
//
// In: {"id", "method", "params"} is a request to the agent; without an id a notification; {"behave": {"permission",
// "files"}} says how the agent's questions are answered. Out: {"id", "result"} or {"id", "error"}, {"update"} for each
// session/update, {"asked", "params"} for each question. At the end of its input it closes the agent's, and waits.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { Readable, Writable } from "node:stream";

const acp = await import(process.env.LIBRARY);
const { client: ours, agent: theirs } = acp.methods;
const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");

let behaviour = { permission: "reject", files: {} };

const permission = ({ params }) => {
  say({ asked: ours.session.requestPermission, params });
  const option = params.options.find(({ kind }) => kind.startsWith(behaviour.permission));
  return { outcome: option ? { outcome: "selected", optionId: option.optionId } : { outcome: "cancelled" } };
};

const read = ({ params }) => {
  say({ asked: ours.fs.readTextFile, params });
  const content = behaviour.files[params.path];
  if (content === undefined) throw new acp.RequestError(-32002, "no such file here");
  return { content };
};

const refuse = ({ method, params }) => {
  say({ asked: method, params });
  throw new acp.RequestError(-32601, "this client does not do that");
};

const [command, ...words] = process.argv.slice(2);
const agent = spawn(command, words, { stdio: ["pipe", "pipe", "inherit"] });
const ended = new Promise((resolve) => agent.on("close", resolve));
const connection = acp
  .client({ name: "driver" })
  .onRequest(ours.session.requestPermission, permission)
  .onRequest(ours.fs.readTextFile, read)
  .onRequest("*", refuse)
  .onNotification(ours.session.update, ({ params }) => say({ update: params }))
  .connect(acp.ndJsonStream(Writable.toWeb(agent.stdin), Readable.toWeb(agent.stdout)));

const methods = [...Object.values(theirs).filter((one) => typeof one === "string"), ...Object.values(theirs.session)];
say({ methods });
for await (const line of createInterface({ input: process.stdin })) {
  const { behave, id, method, params } = JSON.parse(line);
  if (behave) behaviour = { ...behaviour, ...behave };
  else if (id === undefined) await connection.agent.notify(method, params);
  else
    connection.agent
      .request(method, params)
      .then(
        (result) => ({ id, result: result ?? {} }),
        (error) => ({ id, error: { code: error.code ?? 0, message: String(error.message) } }),
      )
      .then((told) => setImmediate(say, told)); // after the updates that came before it: theirs are microtasks
}
agent.stdin.end();
process.exitCode = await ended;
connection.close();
