import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { seededRandom } from "@heddle/base";
import { EvaluatorService } from "@heddle/proto/evaluator";
import { FeatureStoreService } from "@heddle/proto/feature-store";
import { ModelServerService } from "@heddle/proto/model-server";
import { RegistryService } from "@heddle/proto/registry";
import { SchedulerService } from "@heddle/proto/scheduler";
import { SyncService } from "@heddle/proto/sync";
import { heddleJson, sample, startHost, temporaryFolder } from "@heddle/testkit";
import { caseOf } from "./fixtures/fuzz/messages.ts";

// Every RPC of a host gets what nobody should send. HEDDLE_SEED gives other messages than those of the seed below.
const seed = Number(process.env["HEDDLE_SEED"] ?? 30);
const numbers = Array.from({ length: 400 }, (_, n) => n);
/** Spread so that each kind of case is among them. */
const fewCases = 13;
/** A call that takes longer than this hangs. */
const answerMs = 10_000;
/** What a host may grow by, for caches and code that was not run before. */
const growthBytesMax = 256 << 20;

const services: Readonly<Record<string, DescService>> = {
  ...{ registry: RegistryService, featureStore: FeatureStoreService, evaluator: EvaluatorService },
  ...{ modelServer: ModelServerService, sync: SyncService, scheduler: SchedulerService },
};

interface HostFile {
  readonly pid: number;
  readonly addresses: Readonly<Record<string, string>>;
}

const folder = temporaryFolder("fuzz");
let host: AsyncDisposable;
const begun = { pid: 0, bytes: 0 };
const hosted = (): HostFile =>
  JSON.parse(readFileSync(folder.file(".heddle", "host.json"), "utf8")) as HostFile;
before(async () => {
  host = await startHost({ cwd: folder.path });
  begun.pid = hosted().pid;
  begun.bytes = residentBytes(begun.pid);
});
after(async () => {
  await host[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

interface Answer {
  readonly code: string;
  readonly reason: string;
  readonly details: string;
}

/** What a service says to bytes: a call's end, or a stream's first message. */
function answerTo(client: grpc.Client, method: DescMethod, bytes: Uint8Array): Promise<Answer> {
  const path = `/${method.parent.typeName}/${method.name}`;
  const until = { deadline: Date.now() + answerMs };
  const asIs = (message: Buffer): Buffer => message;
  const request = Buffer.from(bytes);
  return new Promise((resolve) => {
    const say = (error: grpc.ServiceError | null): void => {
      const reason = String(error?.metadata?.get("heddle-reason")[0] ?? "");
      const code = error === null ? "OK" : (grpc.status[error.code] ?? "?");
      resolve({ code, reason, details: error?.details ?? "" });
    };
    if (method.methodKind === "unary") {
      client.makeUnaryRequest(path, asIs, asIs, request, until, say);
    } else if (method.methodKind === "client_streaming") {
      const stream = client.makeClientStreamRequest(path, asIs, asIs, until, say);
      stream.on("error", () => undefined);
      stream.write(request);
      stream.end();
    } else {
      const stream = client.makeServerStreamRequest(path, asIs, asIs, request, until);
      stream.on("error", (error: grpc.ServiceError) => say(error));
      stream.once("data", () => {
        say(null);
        stream.cancel();
      });
      stream.once("end", () => say(null));
    }
  });
}

/** Codes that say nothing of what is wrong with a request. */
const bugs = ["UNKNOWN", "INTERNAL", "DEADLINE_EXCEEDED", "UNAVAILABLE", "CANCELLED"];
/** Besides reads: an evaluation stands for itself, whatever it says, and a model that has no route loses none. */
const mayPass = /^(Get|List|Loaded$|RecordEvaluation$|Route$)/;

for (const [name, service] of Object.entries(services)) {
  for (const method of service.methods) {
    test(`${service.typeName}/${method.name} names what is wrong with whatever it gets`, async () => {
      const client = new grpc.Client(
        hosted().addresses[name] ?? assert.fail(name),
        grpc.credentials.createInsecure(),
      );
      const random = seededRandom(seed).split(method.name);
      try {
        for (const n of sample(numbers, fewCases)) {
          const { what, bytes } = caseOf(method.input, random, n);
          const { code, reason, details } = await answerTo(client, method, bytes);
          const hex = Buffer.from(bytes.subarray(0, 1_000)).toString("hex");
          const said = `${what} of seed ${seed}: ${code} ${reason} ${details}\n${hex}`;
          assert.ok(!bugs.includes(code), said);
          if (code === "OK") assert.match(method.name, mayPass, said);
          else assert.match(reason, /^[A-Z][A-Z0-9_]+$/, said);
        }
        // One for each service: it is read before anybody asks for which method it is.
        if (method !== service.methods[0]) return;
        const { code, details } = await answerTo(client, method, Buffer.alloc((16 << 20) + 1));
        assert.equal(code, "RESOURCE_EXHAUSTED", details);
      } finally {
        client.close();
      }
    });
  }
}

test("afterwards the host is the one it was, answers, knows nothing new, and holds no more memory", async () => {
  const { pid } = hosted();
  assert.equal(pid, begun.pid);
  const answer = await heddleJson(["runs"], { cwd: folder.path });
  assert.deepEqual(answer["runs"] ?? [], []);
  const grown = residentBytes(pid) - begun.bytes;
  assert.ok(grown < growthBytesMax, `${grown >> 20} MiB more than at its start`);
});

/** What a process holds of the machine's memory; 0 where the system does not say. */
function residentBytes(pid: number): number {
  const file = `/proc/${pid}/status`;
  if (!existsSync(file)) return 0;
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(file, "utf8"))?.[1] ?? 0) * 1024;
}
