import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { keyListName } from "@heddle/kernels";
import { connectLane } from "@heddle/lane";
import {
  ConfigureRequestSchema,
  ParameterServerService,
  RowFormat,
} from "@heddle/proto/parameter-server";
import { messageBytesMax } from "@heddle/rpc";
import { bytesOf, float32Of } from "@heddle/tensor";
import {
  adam,
  bias,
  call,
  declaration,
  ftrl,
  ids,
  openTestShard,
  pullOf,
  pushOf,
  table,
} from "./fixtures/test-shard.ts";

test("a repeated push is acknowledged and applied once", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  await shard.configure(declaration(), call);
  await shard.pull(pullOf(1), call);
  assert.equal((await shard.push(pushOf(1), call)).step, 1n);
  const after = await shard.pull(pullOf(2), call);
  assert.equal((await shard.push(pushOf(1), call)).step, 1n);
  assert.deepEqual((await shard.pull(pullOf(2), call)).rows, after.rows);
});

test("a call may name the ids of an earlier one; a name that is not known changes nothing", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  await shard.configure(declaration(), call);
  const keyList = keyListName(BigUint64Array.of(5n, 9n));
  const tables = [{ table: "rows" }];
  const unknown = { code: "FAILED_PRECONDITION", reason: "UNKNOWN_KEY_LIST" };
  const pull = { fence: 1n, step: 1n, tables, keyList };
  await assert.rejects(shard.pull(pull, call), unknown);
  await assert.rejects(shard.pull({ ...pull, ids: ids.slice(8) }, call), {
    reason: "KEY_LIST_DIFFERS",
  });
  const { rows } = await shard.pull({ ...pull, ids }, call);
  assert.deepEqual((await shard.pull(pull, call)).rows, rows);
  assert.deepEqual((await shard.pull(pullOf(1), call)).rows, rows);
  const { gradients } = pushOf(1).tables[0]!;
  const push = { ...pushOf(1), tables: [{ table: "rows", gradients }] };
  await assert.rejects(shard.push({ ...push, keyList: keyList + 1n }, call), unknown);
  assert.deepEqual((await shard.pull(pull, call)).rows, rows, "nothing was applied");
  assert.equal((await shard.push({ ...push, keyList }, call)).step, 1n);
  assert.notDeepEqual((await shard.pull({ ...pull, step: 2n }, call)).rows, rows);
});

test("with a lag of 1 a step reads the state after the step before last, and a push waits for that read", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  await shard.configure(declaration(1), call);
  const first = await shard.pull(pullOf(1), call);
  const push = shard.push(pushOf(1), call);
  const second = await shard.pull(pullOf(2), call);
  assert.deepEqual(second.rows, first.rows);
  await push;
  const third = await shard.pull(pullOf(3), call);
  assert.equal(third.step, 1n);
  assert.notDeepEqual(third.rows, first.rows);
  await shard.push(pushOf(2, true), call);
  assert.equal((await shard.pull(pullOf(3), call)).step, 2n, "a cut ends the lag");
});

test("a pull whose state does not come ends with its caller's deadline", async () => {
  await using opened = await openTestShard();
  await opened.shard.configure(declaration(), call);
  await assert.rejects(opened.shard.pull(pullOf(2), { timeoutMs: 100 }), {
    code: "DEADLINE_EXCEEDED",
  });
});

test("a lower fence is refused, a higher one takes over, and who waited is told", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  await assert.rejects(shard.pull(pullOf(1), call), { reason: "NOT_CONFIGURED" });
  await shard.configure(declaration(0, 2n), call);
  const fenced = { code: "ABORTED", reason: "FENCED" };
  await assert.rejects(shard.configure(declaration(0, 1n), call), fenced);
  await assert.rejects(shard.pull(pullOf(1), call), fenced);
  await assert.rejects(shard.push(pushOf(1), call), fenced);
  await assert.rejects(shard.snapshot({ fence: 1n, step: 0n, objectPrefix: "p" }, call), fenced);
  await assert.rejects(shard.freeze({ fence: 1n, step: 0n }, call), fenced);
  await assert.rejects(shard.restore({ fence: 1n }, call), fenced);
  await assert.rejects(shard.pull(pullOf(1, 3n), call), { reason: "NOT_CONFIGURED" });
  const waiting = assert.rejects(shard.pull(pullOf(2, 2n), call), fenced);
  await shard.pull(pullOf(1, 2n), call);
  await shard.configure(declaration(0, 3n), call);
  await waiting;
});

test("a shard takes no second run and no declaration that cannot be", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  for (const wrong of [
    { run: "" },
    { shards: 0 },
    { lag: 2 },
    { tables: [table, table] },
    { tables: [{ ...table, dimension: 0 }] },
    { tables: [{ ...table, dimension: 4_097 }] },
    { tables: [{ ...table, initialDeviation: NaN }] },
    { tables: [{ ...table, rate: 0 }] },
    { tables: [{ ...table, optimizer: {} }] },
    { tables: [{ ...table, admissionProbability: 1.5 }] },
    { tables: [{ ...table, admissionProbability: NaN }] },
    { tables: [{ ...table, admissionProbability: 0.5, admissionCount: 2 }] },
    { tables: [{ ...table, admissionCount: 1_000_001 }] },
    { tables: [{ ...table, versions: false, expirySteps: 5 }] },
    { tables: [{ ...table, optimizer: { rule: { case: "sgd", value: { rate: 1e-60 } } } }] },
    { tables: [{ ...table, optimizer: { rule: { case: "adam", value: { ...adam, beta2: 1 } } } }] },
    {
      tables: [{ ...table, optimizer: { rule: { case: "adam", value: { ...adam, beta1: NaN } } } }],
    },
    { dense: [{ ...bias, optimizer: { rule: { case: "ftrl", value: ftrl } } }] },
    {
      dense: [
        { name: "d", initial: bytesOf(Float32Array.of(NaN)), rate: 1, initialAccumulator: 1 },
      ],
    },
  ] as MessageInitShape<typeof ConfigureRequestSchema>[]) {
    await assert.rejects(shard.configure({ ...declaration(), ...wrong }, call), {
      reason: "DECLARATION_INVALID",
    });
  }
  await shard.configure(declaration(), call);
  assert.equal((await shard.configure(declaration(), call)).step, 0n);
  await assert.rejects(shard.configure({ ...declaration(), run: "other" }, call), {
    reason: "RUN_DIFFERS",
  });
});

test("a shard says how many gradients it dropped, how many ids it counts and how many rows expired", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  const turnover = { versions: true, admissionCount: 2, expirySteps: 2 };
  await shard.configure({ ...declaration(), tables: [{ ...table, ...turnover }] }, call);
  for (let step = 1; step <= 6; step++) {
    const wanted = step < 3 ? ids : bytesOf(BigUint64Array.of(50n, 60n));
    const [rows] = pushOf(step).tables;
    await shard.pull({ ...pullOf(step), tables: [{ table: "rows", ids: wanted }] }, call);
    await shard.push({ ...pushOf(step), tables: [{ ...rows!, ids: wanted }] }, call);
  }
  const { rows, rowsRefused, rowsExpired, idsCounted } = await shard.stats({}, call);
  // Each id is dropped once; 5 and 9 got their rows with step 2, and lost them after step 4.
  assert.deepEqual([rows, rowsRefused, rowsExpired], [2n, 4n, 2n]);
  assert.ok(idsCounted <= 2n, `${idsCounted} ids counted`);
});

test("a lane is offered to the attempt that is obeyed, and carries pulls and pushes with the same errors", async () => {
  await using opened = await openTestShard("unix");
  const { shard } = opened;
  const { pull, push } = ParameterServerService.method;
  const { signal } = new AbortController();
  await assert.rejects(shard.openLane({ fence: 1n }, call), { reason: "NOT_CONFIGURED" });
  await shard.configure(declaration(0, 2n), call);
  await assert.rejects(shard.openLane({ fence: 1n }, call), { reason: "FENCED" });
  await using lane = await connectLane(await shard.openLane({ fence: 2n }, call), { signal });
  const first = await lane.call(pull, pullOf(1, 2n), call);
  await assert.rejects(lane.call(push, { ...pushOf(1), fence: 1n }, call), {
    code: "ABORTED",
    reason: "FENCED",
  });
  const wrong = [{ table: "rows", ids, gradients: new Uint8Array(4) }];
  await assert.rejects(lane.call(push, { ...pushOf(1, false, 2n), tables: wrong }, call), {
    reason: "WRONG_SIZE",
  });
  assert.equal((await lane.call(push, pushOf(1, false, 2n), call)).step, 1n);
  assert.equal((await lane.call(push, pushOf(1, false, 2n), call)).step, 1n, "repeated");
  const [byLane, byGrpc] = [
    await lane.call(pull, pullOf(2, 2n), call),
    await shard.pull(pullOf(2, 2n), call),
  ];
  assert.deepEqual(byLane.rows.map(float32Of), byGrpc.rows.map(float32Of));
  assert.notDeepEqual(byLane.rows.map(float32Of), first.rows.map(float32Of));
});

test("a shard without lanes says so", async () => {
  await using opened = await openTestShard();
  await opened.shard.configure(declaration(), call);
  await assert.rejects(opened.shard.openLane({ fence: 1n }, call), {
    code: "FAILED_PRECONDITION",
    reason: "LANE_NOT_OFFERED",
    message: /call Pull and Push by gRPC/,
  });
});

test("rows in a format that nobody knows, or gradients that are no whole number of values, are refused", async () => {
  await using opened = await openTestShard();
  const { shard } = opened;
  await shard.configure(declaration(), call);
  const unknown = {
    code: "INVALID_ARGUMENT",
    reason: "UNKNOWN_ROW_FORMAT",
    message: /row format 9/,
  };
  const pull = pullOf(1);
  const [wanted] = pull.tables;
  const format = 9 as never;
  await assert.rejects(shard.pull({ ...pull, tables: [{ ...wanted!, format }] }, call), unknown);
  await shard.pull(pull, call);
  const push = pushOf(1);
  const [rows] = push.tables;
  const pushed = (change: object) =>
    shard.push({ ...push, tables: [{ ...rows!, ...change }] }, call);
  await assert.rejects(pushed({ format }), unknown);
  const half = { format: RowFormat.BFLOAT16 };
  for (const gradients of [new Uint8Array(7), new Uint8Array(10)]) {
    await assert.rejects(pushed({ ...half, gradients }), { reason: "WRONG_SIZE" });
  }
  const byte = { format: RowFormat.INT8 };
  // Two rows, of 1 value and a half; of 1 value, which has no such format; of 2 values in 3 bytes too many.
  for (const bytes of [11, 10, 15, 0]) {
    const gradients = new Uint8Array(bytes);
    await assert.rejects(pushed({ ...byte, gradients }), { reason: "WRONG_SIZE" });
  }
  // 1, 2, 3 and 4 are the same in two bytes.
  const gradients = Uint8Array.of(0x80, 0x3f, 0x00, 0x40, 0x40, 0x40, 0x80, 0x40);
  await pushed({ ...half, gradients });
  const after = await shard.pull(pullOf(2), call);
  await using other = await openTestShard();
  await other.shard.configure(declaration(), call);
  await other.shard.pull(pull, call);
  await other.shard.push(push, call);
  assert.deepEqual((await other.shard.pull(pullOf(2), call)).rows, after.rows);
});

test("a push of a batch above the limit of a message is refused by name, by lane and by grpc, and nothing of it is applied", async () => {
  await using opened = await openTestShard("unix");
  const { shard } = opened;
  const dimension = 4_096;
  await shard.configure({ ...declaration(), tables: [{ ...table, dimension }] }, call);
  const { signal } = new AbortController();
  await using lane = await connectLane(await shard.openLane({ fence: 1n }, call), { signal });
  const rows = 1 + messageBytesMax / (4 * dimension);
  const many = bytesOf(BigUint64Array.from({ length: rows }, (_, i) => BigInt(i)));
  const gradients = new Uint8Array(rows * dimension * 4);
  const push = { ...pushOf(1), tables: [{ table: "rows", ids: many, gradients }] };
  await shard.pull({ ...pullOf(1), tables: [{ table: "rows", ids }] }, call);
  await assert.rejects(lane.call(ParameterServerService.method.push, push, call), {
    code: "RESOURCE_EXHAUSTED",
    reason: "LANE_FRAME_TOO_LARGE",
    message: /use smaller batches or more shards/,
  });
  await assert.rejects(shard.push(push, call), {
    code: "RESOURCE_EXHAUSTED",
    reason: "MESSAGE_TOO_LARGE",
    message: /a smaller batchSize, or more shards/,
  });
  const { step, rows: kept } = await shard.stats({}, call);
  assert.deepEqual([step, kept], [0n, 0n]);
});
