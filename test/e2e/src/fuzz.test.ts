import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { DescService } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { seededRandom } from "@heddle/base";
import { EvaluatorService } from "@heddle/proto/evaluator";
import { FeatureStoreService } from "@heddle/proto/feature-store";
import { Health } from "@heddle/proto/health";
import { ModelServerService } from "@heddle/proto/model-server";
import { ServerReflection } from "@heddle/proto/reflection";
import { RegistryService } from "@heddle/proto/registry";
import { SchedulerService } from "@heddle/proto/scheduler";
import { SyncService } from "@heddle/proto/sync";
import { heddleJson, sample, startHost, temporaryFolder } from "@heddle/testkit";
import { answerTo, bugCodes, caseOf } from "@heddle/testkit/fuzz";

// Every RPC of a host gets what nobody should send. HEDDLE_SEED gives other messages than those of the seed below.
const seed = Number(process.env["HEDDLE_SEED"] ?? 30);
const numbers = Array.from({ length: 400 }, (_, n) => n);
/** Spread so that each kind of case is among them. */
const fewCases = 13;
/** A call that takes longer than this hangs. */
const answerMs = 10_000;
/** What a host may grow by, for caches and code that was not run before. */
const growthBytesMax = 256 << 20;

/** Where each is served; what all servers have is asked for at one of them. Shards have a test of their own. */
const services: readonly (readonly [at: string, service: DescService])[] = [
  ["registry", RegistryService],
  ["featureStore", FeatureStoreService],
  ["evaluator", EvaluatorService],
  ["modelServer", ModelServerService],
  ["sync", SyncService],
  ["scheduler", SchedulerService],
  ["registry", Health],
  ["registry", ServerReflection],
];

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

/** Besides reads: an evaluation stands for itself, whatever it says, and a model that has no route loses none. */
const mayPass = /^(Get|List|Loaded$|RecordEvaluation$|Route$|Check$|Watch$|ServerReflectionInfo$)/;

for (const [at, service] of services) {
  for (const method of service.methods) {
    test(`${service.typeName}/${method.name} names what is wrong with whatever it gets`, async () => {
      const client = new grpc.Client(
        hosted().addresses[at] ?? assert.fail(at),
        grpc.credentials.createInsecure(),
      );
      const random = seededRandom(seed).split(method.name);
      try {
        for (const n of sample(numbers, fewCases)) {
          const { what, bytes } = caseOf(method.input, random, n);
          const { code, reason, details } = await answerTo(client, method, bytes, answerMs);
          const hex = Buffer.from(bytes.subarray(0, 1_000)).toString("hex");
          const said = `${what} of seed ${seed}: ${code} ${reason} ${details}\n${hex}`;
          assert.ok(!bugCodes.includes(code), said);
          if (code === "OK") assert.match(method.name, mayPass, said);
          else assert.match(reason, /^[A-Z][A-Z0-9_]+$/, said);
        }
        // One for each service: it is read before anybody asks for which method it is.
        if (method !== service.methods[0]) return;
        const tooLarge = Buffer.alloc((16 << 20) + 1);
        const { code, details } = await answerTo(client, method, tooLarge, answerMs);
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
