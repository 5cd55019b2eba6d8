import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { grpcurlForTests } from "@heddle/servers";
import { heddleJson, temporaryFolder } from "@heddle/testkit";
import { customersProject, startChurn } from "./fixtures/project.ts";

// What docs/guide/grpc.md shows, on a host that serves a model. No file of ours is given to the client: it asks the services.
const { path: grpcurl, skip } = await grpcurlForTests();
const folder = temporaryFolder("grpcurl");
after(() => folder[Symbol.dispose]());
const opened = new AsyncDisposableStack();
after(() => opened.disposeAsync());
const row = { months: 3, plan: "basic", spend: 20 };
const models = "heddle.model_server.v1.ModelServerService";
const at = { modelServer: "", registry: "" };
let prediction = 0;

before(async () => {
  if (skip !== false) return;
  const host = opened.use(await startChurn(customersProject(folder), {}));
  const file = join(host.options.cwd, ".heddle/host.json");
  const { addresses } = JSON.parse(readFileSync(file, "utf8")) as { addresses: typeof at };
  Object.assign(at, addresses);
  const answer = await heddleJson(["predict", "churn", JSON.stringify(row)], host.options);
  prediction = Number(answer["prediction"]);
});

/** @param args of grpcurl, without its switch for plaintext. */
async function run(...args: readonly string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(grpcurl, ["-plaintext", "-max-time", "20", ...args]);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  }
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, said };
}

test(
  "the services of a server are listed, and described down to their fields",
  { skip },
  async () => {
    const { said } = await run(at.modelServer, "list");
    assert.deepEqual(said.trim().split("\n"), [
      ...["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", models],
    ]);
    const method = await run(at.modelServer, "describe", `${models}.Predict`);
    assert.match(method.said, /rpc Predict \( \.heddle\.model_server\.v1\.PredictRequest \)/);
    const message = await run(at.modelServer, "describe", "heddle.model_server.v1.PredictRequest");
    assert.match(message.said, /string rows_json = 2/);
    // Its file imports another one.
    const other = await run(at.registry, "describe", "heddle.registry.v1.Version");
    assert.equal(other.code, 0, other.said);
  },
);

test(
  "health is told for a server and for a service, and an unknown service is no service",
  { skip },
  async () => {
    const check = "grpc.health.v1.Health/Check";
    for (const body of ["{}", JSON.stringify({ service: models })]) {
      const { said } = await run("-d", body, at.modelServer, check);
      assert.deepEqual(JSON.parse(said), { status: "SERVING" });
    }
    const { code, said } = await run("-d", '{"service":"nobody"}', at.modelServer, check);
    assert.notEqual(code, 0);
    assert.match(said, /Code: NotFound\n.*no service nobody here; there are heddle\.model_server/);
  },
);

const predict = (rows: unknown, model = "churn") => {
  const body = { model, rowsJson: JSON.stringify(rows), timeMs: String(Date.now()) };
  return run("-d", JSON.stringify(body), at.modelServer, `${models}/Predict`);
};

test("a prediction is the one that the command gives", { skip }, async () => {
  const { code, said } = await predict([row]);
  assert.equal(code, 0, said);
  const { predictions } = JSON.parse(said) as { predictions: number[] };
  assert.ok(Math.abs((predictions[0] ?? 0) - prediction) < 1e-9, said);
});

test(
  "what is wrong with a call is said with its reason, as every client of gRPC reads it",
  { skip },
  async () => {
    const reasons = [
      [await predict([row], "nothing"), "NotFound", "UNKNOWN_MODEL"],
      [await predict([{ ...row, months: "three" }]), "InvalidArgument", "WRONG_TYPE"],
      [await predict({ months: 3 }), "InvalidArgument", "ROWS_INVALID"],
    ] as const;
    for (const [{ said }, code, reason] of reasons) {
      assert.match(said, new RegExp(`Code: ${code}\\n`));
      const info = /\{\n\s+"@type": "type\.googleapis\.com\/google\.rpc\.ErrorInfo"[^]*\}/.exec(
        said,
      );
      assert.equal((JSON.parse(info?.[0] ?? "{}") as { reason?: string }).reason, reason, said);
    }
    // A field that the contract does not have: known from reflection, before anything is sent.
    const unknown = await run("-d", '{"modell":"churn"}', at.modelServer, `${models}/Predict`);
    assert.match(unknown.said, /no known field named modell/);
  },
);
