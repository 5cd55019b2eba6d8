import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, HeddleError, type InTurnByKey, isHeddleError } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import type { EventFormat, SegmentFile } from "@heddle/feature-engine";
import { digestOfFile, type Objects } from "@heddle/objects";
import type { IngestHeader, IngestRequest } from "@heddle/proto/feature-store";
import { type ChangeContext, type Known, listAll } from "@heddle/store";
import type { Engine } from "../engine/engine.ts";
import { sourceNamed } from "../definitions/features.ts";
import type { PseudonymKey } from "./pseudonym-key.ts";
import {
  ingested,
  type IngestOutcome,
  mainBranch,
  segmentsMax,
  segmentsOn,
  type Source,
} from "../definitions/source.ts";
import type { FeatureStoreStore } from "../store.ts";

export interface IngestDeps {
  readonly store: FeatureStoreStore;
  readonly objects: Objects;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly pseudonymKey: PseudonymKey;
  /** Runs the works of one source one after another. */
  readonly inTurn: InTurnByKey;
  /** Where files lie while they are taken in. */
  readonly folder: string;
}

export interface Ingested extends IngestOutcome {
  readonly segments: readonly SegmentFile[];
}

interface Arrived {
  readonly header: IngestHeader;
  readonly path: string;
  readonly sha256: string;
}

const formats: readonly string[] = ["parquet", "csv", "jsonl"] satisfies EventFormat[];
const racesMax = 5;

/**
 * Takes one event file in: file → engine (checked, pseudonymised, each event once) → durable segment
 * → one change of the source. What is acknowledged survives a power cut; a death before that leaves
 * at most an object that no source names, and the same file again adds what is missing.
 */
export async function ingest(
  requests: AsyncIterable<IngestRequest>,
  actor: { readonly actor: string; readonly traceparent?: string },
  deps: IngestDeps,
): Promise<Ingested> {
  const folder = join(deps.folder, randomUUID());
  try {
    const arrived = await receive(requests, folder);
    const { header, sha256 } = arrived;
    const context: ChangeContext = {
      requestId: header.requestId,
      request: { source: header.source, branch: header.branch, format: header.format, sha256 },
      ...actor,
    };
    // One file of a source at a time; a race with another process starts over.
    return await deps.inTurn(header.source, () =>
      retryRaces(() => takeIn(arrived, folder, context, deps)),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function receive(requests: AsyncIterable<IngestRequest>, folder: string): Promise<Arrived> {
  const path = join(folder, "arrived");
  const hash = createHash("sha256");
  let header: IngestHeader | undefined;
  let bytes = 0;
  try {
    await mkdir(folder, { recursive: true });
    await using file = await open(path, "w");
    for await (const request of requests) {
      header ??= request.header;
      if (header === undefined) break;
      hash.update(request.chunk);
      bytes += request.chunk.length;
      await file.appendFile(request.chunk);
    }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === "ENOSPC" ? diskFull(folder, error) : error;
  }
  if (header === undefined || header.requestId === "" || !formats.includes(header.format)) {
    throw new HeddleError(
      "INVALID_ARGUMENT",
      "INGEST_HEADER_INVALID",
      `the first message must have a header with request_id, source and format (${formats.join(", ")})`,
    );
  }
  // A call that was cancelled midway looks as if it had ended.
  if (header.bytes !== 0n && BigInt(bytes) !== header.bytes) throw incomplete(header, bytes);
  return { header, path, sha256: hash.digest("hex") };
}

function incomplete({ fileName, bytes }: IngestHeader, arrived: number): HeddleError {
  return new HeddleError(
    "ABORTED",
    "INGEST_INCOMPLETE",
    `${arrived} of the ${bytes} bytes of ${fileName} arrived: it was cut on its way, or changed meanwhile; nothing of it was kept, send it again`,
  );
}

function diskFull(folder: string, cause: unknown): HeddleError {
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "DISK_FULL",
    `the disk of ${folder} is full, and nothing of the file was kept: make room and ingest it again`,
    { cause },
  );
}

async function takeIn(
  { header, path }: Arrived,
  folder: string,
  context: ChangeContext,
  deps: IngestDeps,
): Promise<Ingested> {
  const { store, objects, engine, clock, pseudonymKey } = deps;
  const known = await sourceOf(store, header.source);
  const branch = header.branch === "" ? mainBranch : header.branch;
  checkBranch(branch);
  const { definition } = known.state;
  const existing = segmentsOn(known.state, branch);
  if (existing.length >= segmentsMax) throw full(header.source, branch);
  const target = join(folder, `segment-${known.revision}`);
  const { segment: written, ...outcome } = await engine.ask({
    kind: "ingest",
    task: {
      source: definition,
      path,
      fileName: header.fileName,
      format: header.format as EventFormat,
      nowMs: clock.now(),
      pseudonymKeyHex: await pseudonymKey.hex(),
      existing: definition.eventTime === undefined ? [] : await existingOf(existing, objects),
      target,
    },
  });
  let segment: SegmentFile | undefined;
  if (written !== undefined) {
    const { name, bytes, sha256 } = await storeSegment(
      objects,
      header.source,
      written.rowHash,
      target,
    );
    segment = {
      object: { name, bytes, sha256 },
      events: outcome.events,
      fileName: header.fileName,
      ...written,
      ...(context.traceparent !== undefined && { traceparent: context.traceparent }),
    };
  }
  failpoint("feature-store.ingest.after-segment");
  const changed = await store.sources.update(
    header.source,
    (source) => ingested(source, branch, segment, outcome),
    context,
    { expected: known.revision },
  );
  failpoint("feature-store.ingest.after-commit");
  const own = segment === undefined || changed.repeated ? [] : [segment];
  return { ...changed.result, segments: own };
}

/** Puts a written segment where its name says. */
export async function storeSegment(
  objects: Objects,
  source: string,
  rowHash: string,
  path: string,
) {
  const { sha256 } = await digestOfFile(path);
  // Rows alone do not fix a file's bytes, so its name holds both.
  const name = `segments/${source}/${rowHash.slice(0, 16)}-${sha256.slice(0, 16)}.parquet`;
  return objects.putFile(name, path);
}

/** Segments with their local paths. */
export async function existingOf(segments: readonly SegmentFile[], objects: Objects) {
  return Promise.all(
    segments.map(async ({ object, ranges }) => ({
      path: await objects.path(object.name, object.sha256),
      ranges,
    })),
  );
}

/**
 * @param where who asks, for messages.
 * @throws {HeddleError} INVALID_ARGUMENT UNKNOWN_SOURCE.
 */
export async function sourceOf(
  store: FeatureStoreStore,
  name: string,
  where = "the file",
): Promise<Known<Source>> {
  const known = await store.sources.get(name);
  if (known !== undefined) return known;
  const sources = new Map(
    (await listAll(store.sources)).map(({ id, state }) => [id, state.definition]),
  );
  sourceNamed(sources, name, where);
  throw new HeddleError("NOT_FOUND", "UNKNOWN_SOURCE", `there is no source "${name}"`);
}

/** Something else of the same source came in meanwhile: what is new must be found again. */
export async function retryRaces<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isHeddleError(error, "STALE_ETAG") || tries >= racesMax) throw error;
    }
  }
}

function checkBranch(branch: string): void {
  if (/^[a-z][a-z0-9_-]{0,63}$/.test(branch)) return;
  throw new HeddleError(
    "INVALID_ARGUMENT",
    "BRANCH_INVALID",
    `the branch "${branch}" must be lower-case letters, digits, _ and -, at most 64`,
  );
}

export function full(source: string, branch: string): HeddleError {
  return new HeddleError(
    "RESOURCE_EXHAUSTED",
    "SEGMENTS_FULL",
    `source ${source} has ${segmentsMax} segments on branch ${branch}: send fewer, larger files`,
  );
}
