import { randomBytes } from "node:crypto";
import { assert, present, systemClock } from "@heddle/base";
import { startMongo, Unavailable } from "@heddle/servers";
import { type Documents, type DocumentStore, openMongo, openMongoStore } from "@heddle/store";
import { countCalls, temporaryFolder } from "@heddle/testkit";
import { type Collection, MongoClient } from "mongodb";
import { anotherFirst } from "../another-first.ts";
import type { BenchOptions } from "../main.ts";
import type { Row } from "../row.ts";
import { compared, measured, skipped } from "../summarise.ts";
import { openWrittenRegistry } from "./registry.ts";

const full = { rounds: 15, writes: 200 };
const small = { rounds: 7, writes: 60 };
const what = "writes of documents to MongoDB";
const writing = { writeConcern: { w: "majority", journal: true } } as const;

/** What of a stored document says which one it is; the rest is as it was stored. */
interface Bare {
  readonly _id: string;
  readonly revision: number;
  readonly value: string;
}

/** Makes one write. */
type Write = () => Promise<unknown>;

/** For each round of a way to write, of one write: microseconds of CPU and of wall time, and commands to the server. */
interface Times {
  readonly cpu: number[];
  readonly wall: number[];
  readonly commands: number[];
}

/** The store's and the registry's write beside the bare driver's, of the same document and with the same promise, on one server. */
export async function storeRows({ quick, say, environment }: BenchOptions): Promise<Row[]> {
  await using stack = new AsyncDisposableStack();
  using folder = temporaryFolder("bench-store");
  const server = await serverOf(environment, stack);
  if (server instanceof Unavailable) return [skipped(what, server.message)];
  say(`server: ${server.name}`);
  const url = `${server.url}/heddle-bench-${randomBytes(6).toString("hex")}`;
  const client = stack.use(new MongoClient(url, { retryWrites: false }));
  stack.defer(async () => void (await client.db().dropDatabase()));
  const connection = stack.use(await openMongo({ url, clock: systemClock, random: Math.random }));
  // Each call of the driver and of the store is a command.
  const calls = new Map<string, number>();
  const { collection: open, ...rest } = openMongoStore(connection, "registry");
  const store: DocumentStore = { ...rest, collection: (name) => countCalls(open(name), calls) };
  const registry = stack.use(await openWrittenRegistry(store, folder));
  // As many requests and snapshots as a run remembers: from then on its document keeps its size.
  for (let n = 0; n < 80; n++) await registry.write();
  const collection = (name: string): Collection<Bare> => client.db().collection<Bare>(name);
  const stored = await collection("registry.runs").findOne({ _id: registry.run });
  const document = present(stored, "the run's document");
  const { value } = document;
  const documents = store.collection<object>("bench");
  const ways = {
    bare: await bareWrites(countCalls(collection("bare"), calls), document),
    put: await puts(documents, JSON.parse(value) as object),
    registry: () => registry.write(),
  };
  const { rounds, writes } = quick ? small : full;
  say(`${rounds} rounds of ${writes} writes of ${value.length} bytes each`);
  const times = await interleaved(rounds, writes, Object.entries(ways), calls);
  return rowsOf(times, writes, server.name);
}

async function serverOf(
  environment: BenchOptions["environment"],
  stack: AsyncDisposableStack,
): Promise<{ readonly url: string; readonly name: string } | Unavailable> {
  const given = environment["HEDDLE_TEST_MONGODB_URL"];
  if (given !== undefined) return { url: given.replace(/\/+$/, ""), name: "a MongoDB of yours" };
  try {
    const { url } = stack.use(await startMongo(""));
    return { url, name: "the stand-in mongo-java-server" };
  } catch (error) {
    if (error instanceof Unavailable) return error;
    throw error;
  }
}

/** Compare-and-set by revision, as the store does, and nothing else. */
async function bareWrites(collection: Collection<Bare>, document: Bare): Promise<Write> {
  const _id = "one";
  let revision = 1;
  await collection.insertOne({ ...document, _id, revision }, writing);
  return async () => {
    const next = { ...document, _id, revision: revision + 1 };
    const { matchedCount } = await collection.replaceOne({ _id, revision }, next, writing);
    assert(matchedCount === 1, "nobody else writes it");
    revision += 1;
  };
}

async function puts(documents: Documents<object>, value: object): Promise<Write> {
  let revision = await documents.put("one", value, 0);
  return async () => (revision = await documents.put("one", value, revision));
}

/** All ways in each round, another first in each; a round that only warms up is left out. */
async function interleaved(
  rounds: number,
  writes: number,
  ways: readonly (readonly [string, Write])[],
  calls: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, Times>> {
  const times = new Map<string, Times>(
    ways.map(([name]) => [name, { cpu: [], wall: [], commands: [] }]),
  );
  const commands = (): number => [...calls.values()].reduce((sum, count) => sum + count, 0);
  for (let round = -1; round < rounds; round++) {
    for (const [name, write] of anotherFirst(ways, round)) {
      const [began, before, asked] = [performance.now(), process.cpuUsage(), commands()];
      for (let n = 0; n < writes; n++) await write();
      const { user, system } = process.cpuUsage(before);
      if (round < 0) continue;
      times.get(name)?.commands.push((commands() - asked) / writes);
      times.get(name)?.cpu.push((user + system) / writes);
      times.get(name)?.wall.push(((performance.now() - began) * 1_000) / writes);
    }
  }
  return times;
}

function rowsOf(times: ReadonlyMap<string, Times>, writes: number, server: string): Row[] {
  const words = {
    bare: `bare driver, ${server}`,
    put: "Documents.put",
    registry: "registry's write (gRPC, read, change, store; relay of its event)",
  };
  const of = (way: string, kind: keyof Times): number[] => times.get(way)?.[kind] ?? [];
  const peer = `the bare driver's, ${server}`;
  const beside = ["put", "registry"] as const;
  return [
    measured(`${words.bare}: CPU of the client`, "µs/write", of("bare", "cpu")),
    ...beside.flatMap((way) =>
      (["cpu", "wall"] as const).map((kind) =>
        compared(
          `${words[way]}: ${kind === "cpu" ? "CPU of this process" : "time"}`,
          "µs/write",
          of(way, kind),
          { name: peer, values: of("bare", kind) },
        ),
      ),
    ),
    ...(["bare", ...beside] as const).map((way) =>
      measured(`${words[way]}: commands to MongoDB`, "commands/write", of(way, "commands")),
    ),
  ];
}
