import { mkdirSync } from "node:fs";
import { openObjects, type Objects } from "@heddle/objects";
import { newBucket, startS3, testCredentials, Unavailable } from "@heddle/servers";
import { temporaryFolder } from "@heddle/testkit";
import { anotherFirst } from "../another-first.ts";
import type { BenchOptions } from "../main.ts";
import type { Goal, Row } from "../row.ts";
import { compared, skipped } from "../summarise.ts";
import { openBareS3 } from "./bare-s3.ts";

/** One kind of work on one backend. @param round names objects that are new. @returns bytes moved. */
type Work = (round: number) => Promise<number>;

/** CPU seconds of this process and seconds of the wall, of one round. */
interface Taken {
  readonly cpu: number;
  readonly wall: number;
  readonly bytes: number;
}

const full = { rounds: 11, large: 64 << 20, small: 200 };
const short = { rounds: 5, large: 32 << 20, small: 50 };
const smallBytes = 64 << 10;
/** Of the CPU that the bare SDK takes, which neither signs by a digest of the whole nor checks what it reads. */
const cpuGoal = { atMost: 1.25 };

/** Objects on S3 beside the bare SDK on the same server, and beside objects in a folder on the same disk. */
export async function objectRows({ quick, say }: BenchOptions): Promise<readonly Row[]> {
  const { rounds, large, small } = quick ? short : full;
  using folder = temporaryFolder("bench-objects");
  mkdirSync(folder.file("s3"));
  const server = await startS3(folder.file("s3")).catch((error: unknown) => {
    if (error instanceof Unavailable) return error;
    throw error;
  });
  if (server instanceof Unavailable) return [skipped("objects on S3", server.message)];
  await using _running = server;
  process.env["AWS_ACCESS_KEY_ID"] = testCredentials.accessKeyId;
  process.env["AWS_SECRET_ACCESS_KEY"] = testCredentials.secretAccessKey;
  const made = await newBucket({ url: server.url, skip: false, running: server });
  const bare = openBareS3(made.client, made.bucket);
  const bytes = { large: bytesOf(large), small: bytesOf(smallBytes) };
  const backends = {
    s3: await openObjects(made.url("ours", { cache: folder.file("copies") })),
    file: await openObjects(folder.file("objects")),
    bare: {
      put: (name: string, given: Uint8Array) => bare.put(`${made.prefix}/bare/${name}`, given),
      get: (name: string) => bare.get(`${made.prefix}/bare/${name}`),
    },
  };
  const taken = new Map<string, Taken[]>();
  for (let round = -1; round < rounds; round++) {
    const ways = Object.entries(backends);
    for (const [way, objects] of anotherFirst(ways, round)) {
      for (const [kind, work] of Object.entries(worksOf(objects, bytes, small))) {
        const figure = await measure(() => work(round));
        // The first round only warms up.
        if (round >= 0)
          taken.set(`${kind} ${way}`, [...(taken.get(`${kind} ${way}`) ?? []), figure]);
      }
    }
    say(`round ${round + 1} of ${rounds}`);
  }
  return rowsOf(taken);
}

function worksOf(
  objects: Pick<Objects, "get"> & { put(name: string, bytes: Uint8Array): Promise<unknown> },
  bytes: { readonly large: Uint8Array; readonly small: Uint8Array },
  small: number,
): Readonly<Record<string, Work>> {
  const each = async (act: (n: number) => Promise<unknown>): Promise<number> => {
    for (let n = 0; n < small; n++) await act(n);
    return small * smallBytes;
  };
  return {
    "put large": async (round) => {
      await objects.put(`large/${round + 1}`, bytes.large);
      return bytes.large.byteLength;
    },
    "get large": async (round) => (await objects.get(`large/${round + 1}`)).byteLength,
    "put small": (round) => each((n) => objects.put(`small/${round + 1}/${n}`, bytes.small)),
    "get small": (round) => each((n) => objects.get(`small/${round + 1}/${n}`)),
  };
}

async function measure(work: () => Promise<number>): Promise<Taken> {
  const [cpu, started] = [process.cpuUsage(), performance.now()];
  const bytes = await work();
  const { user, system } = process.cpuUsage(cpu);
  return { cpu: (user + system) / 1e6, wall: (performance.now() - started) / 1_000, bytes };
}

function rowsOf(taken: ReadonlyMap<string, readonly Taken[]>): Row[] {
  const of = (kind: string, way: string, figure: (one: Taken) => number): number[] =>
    (taken.get(`${kind} ${way}`) ?? []).map(figure);
  const peers = { bare: "the bare SDK", file: "a folder" };
  return ["put large", "get large", "put small", "get small"].flatMap((kind) =>
    Object.entries(peers).flatMap(([way, name]) => {
      const beside = (unit: string, figure: (one: Taken) => number, goal?: Goal): Row =>
        compared(
          `${kind} on S3`,
          unit,
          of(kind, "s3", figure),
          {
            name,
            values: of(kind, way, figure),
          },
          goal,
        );
      return [
        beside("GB/s", ({ bytes, wall }) => bytes / 1e9 / wall),
        beside(
          "CPU-s/GB",
          ({ bytes, cpu }) => cpu / (bytes / 1e9),
          way === "bare" ? cpuGoal : undefined,
        ),
      ];
    }),
  );
}

/** Nothing that a server or a disk could make smaller. */
function bytesOf(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count; at += 65_536)
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}
