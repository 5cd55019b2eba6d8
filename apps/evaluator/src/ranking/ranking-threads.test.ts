import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openExecutor } from "@heddle/executor";
import { openDuckdb, readPartitionChunks, visitRanges } from "@heddle/feature-engine";
import { openScorer } from "@heddle/model";
import { openFileObjects } from "@heddle/objects";
import { candidates, putDataset } from "../fixtures/data.ts";
import { definition } from "../fixtures/definition.ts";
import { putVersion } from "../fixtures/versions.ts";
import { openRankingThreads } from "./ranking-threads.ts";
import { type RankingThread, type RankingWork, rankTogether, takeParts } from "./ranking-work.ts";
import { type GrantedDataset, parquetReader } from "../scoring/reader.ts";
import { openRivals } from "../scoring/rivals.ts";

const counter = () => new Int32Array(new SharedArrayBuffer(4));
const readerMemoryBytesMax = 64 << 20;

test("ranges of visits cover a partition, threads rank as one does, and failures keep their reason", async (t) => {
  const path = await mkdtemp(join(tmpdir(), "heddle-ranking-"));
  t.after(() => rm(path, { recursive: true }));
  const objects = await openFileObjects({ path });
  const executor = await openExecutor({ kind: "auto" });
  const options = { threads: 1, memoryBytesMax: readerMemoryBytesMax, tempFolder: "" };
  await using db = await openDuckdb(options);
  const manifest = await putDataset(objects, "ranking", [candidates(60, 1), candidates(50, 2)]);
  const dataset = {
    ...manifest,
    partitions: (manifest.partitions ?? []).map(({ object }) => ({
      object: object?.name ?? "",
      sha256: object?.sha256 ?? "",
    })),
  } as unknown as GrantedDataset;
  const { manifest: version } = await putVersion(objects, executor, { weight: 1.5, bias: -4 });

  const place = dataset.partitions[0]!;
  const file = await objects.path(place.object, place.sha256);
  const ranges = await visitRanges(db, file, 500);
  assert.deepEqual([ranges[0]?.first, ranges.at(-1)?.last, ranges.length], [0, 59, 5]);
  const found: number[] = [];
  for (const visits of ranges) {
    for await (const { visit } of readPartitionChunks(file, [], { db, visits })) {
      found.push(...visit);
    }
  }
  assert.deepEqual(
    found,
    candidates(60, 1).map(({ visit }) => visit),
  );

  const work = (name: string): RankingWork => ({
    dataset,
    parts: [
      ...ranges.map((visits) => ({ partition: 0, visits })),
      { partition: 1, visits: { first: 0, last: 49 } },
    ],
    taken: counter(),
    rows: counter(),
    at: definition.examples.kind === "candidates" ? definition.examples.ranking.at : 0,
    groups: definition.slices.map((slice) => ({
      slice,
      met: slice.by === undefined ? [] : ["DELI", "DAIRY", ""],
      group: { names: [slice.name], places: Int32Array.of(0) },
    })),
    versions: { candidate: { name, sha256: version.sha256 } },
    fallback: definition.fallback,
  });
  await using stack = new AsyncDisposableStack();
  const rivals = await openRivals(
    work(version.name).versions,
    definition.fallback,
    (of) => openScorer({ objects, manifest: of, executor }),
    stack,
  );
  const reader = parquetReader(objects, db);
  const rank = (of: RankingWork, threads: readonly RankingThread[], helped: boolean) =>
    rankTogether(
      of,
      async () =>
        helped ? [] : await takeParts(of, reader, rivals, (rows) => void (of.rows[0]! += rows)),
      threads,
    );
  const alone = work(version.name);
  const expected = await rank(alone, [], false);
  assert.equal(alone.rows[0], 110 * 40);
  assert.ok((expected[0]?.slices[0]?.visits.length ?? 0) > 5);

  await using opened = openRankingThreads(2, { objects: path, readerMemoryBytesMax });
  const shared = work(version.name);
  assert.deepEqual(await rank(shared, opened.threads, true), expected);
  assert.equal(shared.rows[0], 110 * 40);
  await assert.rejects(rank(work("models/none"), opened.threads, true), {
    reason: "NO_SUCH_OBJECT",
  });
});
