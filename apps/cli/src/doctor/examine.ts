import { statfsSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, totalmem } from "node:os";
import { messageOf } from "@heddle/base";
import { inspectTensorflow, type TensorflowState } from "@heddle/executor";
import { makeStateFolder } from "../folder.ts";
import { bytes } from "../output/numbers.ts";

export interface Finding {
  readonly what: string;
  readonly found: string;
  readonly holds: boolean;
  readonly remedy: string;
}

const diskBytesMin = 2 * 1024 ** 3;
const memoryBytesMin = 3 * 1024 ** 3;

/** Looks at what a run on this machine needs; every finding that does not hold has a remedy. */
export async function examine(state: string): Promise<Finding[]> {
  return [
    node(),
    memory(),
    disk(state),
    await loads("LMDB (store, event log, online values)", "lmdb", () => import("lmdb")),
    await loads(
      "DuckDB (features, datasets)",
      "@duckdb/node-api",
      () => import("@duckdb/node-api"),
    ),
    await loads(
      "ONNX Runtime (executor onnx, which auto takes)",
      "onnxruntime-node",
      () => import("onnxruntime-node"),
    ),
    tensorflow(),
  ];
}

function node(): Finding {
  const holds = Number(process.versions.node.split(".")[0]) >= 26;
  return {
    what: "Node",
    found: `${process.version} on ${process.platform}-${process.arch}`,
    holds,
    remedy: 'start it with "npx heddle" or "npm start", which bring the right Node',
  };
}

function memory(): Finding {
  const total = totalmem();
  return {
    what: "memory",
    found: `${bytes(total)}, ${availableParallelism()} cores`,
    holds: total >= memoryBytesMin,
    remedy: `a run needs up to 2 GiB; ${bytes(memoryBytesMin)} in the machine is enough`,
  };
}

function disk(state: string): Finding {
  const what = `free disk at ${state}`;
  try {
    makeStateFolder(state);
  } catch (error) {
    const remedy = "choose a folder that can be written to with --state";
    return { what, found: messageOf(error), holds: false, remedy };
  }
  const { bavail, bsize } = statfsSync(state);
  return {
    what,
    found: bytes(bavail * bsize),
    holds: bavail * bsize >= diskBytesMin,
    remedy: `free at least ${bytes(diskBytesMin)} or choose another folder with --state`,
  };
}

/** @param state for tests; what is on this machine unless given. */
export function tensorflow(state: TensorflowState = inspectTensorflow()): Finding {
  const what = "TensorFlow (executor tensorflow, by choice)";
  const remedy = `install it again: ${state.setUp}`;
  if (state.kind === "runs") {
    const device = state.gpu ? "on a GPU" : "on the CPU";
    return { what, found: `TensorFlow ${state.version} ${device}`, holds: true, remedy };
  }
  if (state.kind === "broken") return { what, found: state.why, holds: false, remedy };
  const how = state.possible
    ? `to have it: ${state.setUp}`
    : "there is no tried recipe for it here";
  return { what, found: `not installed, and not needed; ${how}`, holds: true, remedy };
}

async function loads(what: string, name: string, load: () => Promise<unknown>): Promise<Finding> {
  const remedy = `install it again: npm ci (package ${name})`;
  try {
    await load();
    return { what, found: versionOf(name), holds: true, remedy };
  } catch (error) {
    return { what, found: messageOf(error), holds: false, remedy };
  }
}

function versionOf(name: string): string {
  try {
    const manifest = createRequire(import.meta.url)(`${name}/package.json`) as { version: string };
    return `${name} ${manifest.version}`;
  } catch {
    return `${name} loads`;
  }
}
