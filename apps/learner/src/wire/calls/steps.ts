import type { Pool } from "@heddle/lane";
import type { CachedRows } from "./cached-rows.ts";
import type { KeyLists } from "./key-lists.ts";
import type { OwnUpdates } from "./own-updates.ts";
import { sparedBytes } from "../shard/row-format.ts";
import type { Part, ShardLayout } from "../shard/shard-layout.ts";
import type { ShardLink } from "../shard/shard-link.ts";
import type { Traffic } from "../traffic.ts";
import type { Bounds, RunDeclaration } from "../wire.ts";

/** A shard, and what this learner knows of its updates on it, in bounded mode. */
export interface LinkedShard {
  readonly link: ShardLink;
  readonly updates?: OwnUpdates;
}

/** What the calls of steps share. */
export interface Steps {
  readonly fence: bigint;
  readonly tables: RunDeclaration["tables"];
  /** How updates overlap; exact mode when undefined. */
  readonly bounds: Bounds | undefined;
  readonly layout: ShardLayout;
  /** By shard: rows that need not be asked for; none where every pull reads its rows anew. */
  readonly cached: readonly CachedRows[];
  /** Memory of what is pulled, and of what is pushed. */
  readonly pulls: Pool<ArrayBufferLike>;
  readonly pushes: Pool;
  readonly traffic: Traffic;
  readonly timeoutMs: number;
  readonly lists: KeyLists;
  /** Runs a call of each shard. */
  each(
    parts: readonly Part[],
    run: (at: LinkedShard, part: Part, shard: number) => Promise<void>,
  ): Promise<unknown>;
}

/** Counts values that moved, and what they would have taken beside in float32. */
export function count(
  { traffic, tables }: Steps,
  direction: "pulled" | "pushed",
  rows: readonly Uint8Array[],
  dense: Uint8Array,
): void {
  const moved = rows.reduce((sum, { byteLength }) => sum + byteLength, dense.byteLength);
  traffic.add(direction, moved);
  traffic.spare("format", sparedBytes(tables, rows));
}
