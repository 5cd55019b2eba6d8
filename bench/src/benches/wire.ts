import { crc32 } from "node:zlib";
import { openChecksum } from "@heddle/lane";
import { temporaryFolder } from "@heddle/testkit";
import { anotherFirst } from "../another-first.ts";
import type { Bench } from "../main.ts";
import type { Row } from "../row.ts";
import { compared, measured, skipped } from "../summarise.ts";
import { openEcho } from "../wire/echo.ts";
import { openPsLite } from "../wire/ps-lite.ts";
import { openWays, type Way, type WirePeer } from "../wire/ways.ts";
import { dimension, makeWork, type Work } from "../wire/work.ts";

const full = { rounds: 21, steps: 20 };
const small = { rounds: 9, steps: 8 };
/** Of what a bare socket moves. */
const goal = { atLeast: 0.7 };

type Seconds = ReadonlyMap<string, readonly number[]>;

export const bench: Bench = {
  about: `a step's rows of ${dimension} by lane, beside gRPC in Node and Go, ps-lite and a bare socket: CPU of both ends`,
  run: async (options) => {
    const { quick, say, environment } = options;
    const { rounds, steps } = quick ? small : full;
    const work = makeWork();
    using folder = temporaryFolder("bench-wire");
    const peers = {
      go: await openEcho(folder, work, environment),
      "ps-lite": await openPsLite(folder, work, options),
    };
    const [there, absent] = parted(peers);
    await using opened = await openWays(work, folder.file("bare"));
    say(`a step moves ${work.rows} rows both ways, ${(work.bytes / 1e6).toFixed(1)} MB in all`);
    const ways = {
      ...opened.ways,
      gmac: cpuOf(() => checksum(work.values)),
      crc32: cpuOf(() => crc32(work.values)),
      ...Object.fromEntries(there.map(([name, { way }]) => [name, way])),
    };
    const old = new Uint8Array(work.values.length);
    const memory = {
      "old memory": cpuOf(() => old.set(work.values)),
      "new memory": cpuOf(() => new Uint8Array(work.values)),
    };
    const seconds = await interleaved(rounds, steps, Object.entries({ ...ways, ...memory }));
    for (const [, peer] of there) await peer.close();
    return rowsOf(seconds, work, steps, absent);
  },
};

/** Those that are there, and by name why others are not. */
function parted(peers: Readonly<Record<string, WirePeer | string>>) {
  const there: (readonly [string, WirePeer])[] = [];
  const absent = new Map<string, string>();
  for (const [name, peer] of Object.entries(peers)) {
    if (typeof peer === "string") absent.set(name, peer);
    else there.push([name, peer]);
  }
  return [there, absent] as const;
}

function checksum(bytes: Uint8Array): void {
  const sum = openChecksum();
  sum.add(bytes);
  sum.end();
}

const cpuOf =
  (act: () => unknown): Way =>
  async (times) => {
    const before = process.cpuUsage();
    for (let n = 0; n < times; n++) act();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };

/** All in each round, another first in each; a round that only warms up is left out. */
async function interleaved(
  rounds: number,
  steps: number,
  ways: readonly (readonly [string, Way])[],
): Promise<Seconds> {
  const seconds = new Map<string, number[]>(ways.map(([name]) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, way] of anotherFirst(ways, round)) {
      const taken = await way(steps);
      if (round >= 0) seconds.get(name)?.push(taken);
    }
  }
  return seconds;
}

/** @param absent by peer: why it was not measured. */
function rowsOf(
  all: Seconds,
  work: Work,
  steps: number,
  absent: ReadonlyMap<string, string>,
): Row[] {
  const speeds = (way: string, ofStep: number): number[] =>
    (all.get(way) ?? []).map((seconds) => (ofStep * steps) / seconds);
  const gigabytes = (way: string): number[] => speeds(way, work.bytes / 1e9);
  const beside = (way: string, peer: string, words: string, atLeast?: { atLeast: number }): Row => {
    const measure = `${way}, beside ${words}`;
    const why = absent.get(peer);
    if (why !== undefined) return skipped(measure, why);
    const values = gigabytes(way);
    return compared(measure, "GB/CPU-s", values, { name: words, values: gigabytes(peer) }, atLeast);
  };
  return [
    ...(["unix", "tcp"] as const).flatMap((kind) => [
      measured(
        `lane ${kind}: rows pulled and pushed`,
        "M rows/CPU-s",
        speeds(`lane ${kind}`, (2 * work.rows) / 1e6),
      ),
      beside(`lane ${kind}`, `bare ${kind}`, `a bare ${kind} socket`, goal),
      beside(`lane ${kind}`, "grpc", "gRPC in Node", { atLeast: 1 }),
      beside(`lane ${kind}`, "go", "gRPC in Go"),
    ]),
    beside("lane tcp", "ps-lite", "ps-lite over tcp"),
    measured(
      "gRPC in Node: rows pulled and pushed",
      "M rows/CPU-s",
      speeds("grpc", (2 * work.rows) / 1e6),
    ),
    compared(
      "checksum of a lane (GMAC), beside CRC-32",
      "GB/CPU-s",
      speeds("gmac", work.values.length / 1e9),
      { name: "CRC-32 of node:zlib", values: speeds("crc32", work.values.length / 1e9) },
      { atLeast: 1 },
    ),
    compared(
      "rows copied to memory that is used again, beside new memory",
      "GB/CPU-s",
      speeds("old memory", work.values.length / 1e9),
      { name: "new memory", values: speeds("new memory", work.values.length / 1e9) },
      { atLeast: 1 },
    ),
  ];
}
