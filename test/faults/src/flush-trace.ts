import { basename, dirname, resolve } from "node:path";

/** What `strace` must be told so that `unflushedAcknowledgements` can judge its trace. */
export const straceOptions: readonly string[] = [
  "-f",
  "-y",
  "-qq",
  ...["-s", "48"],
  ...["-e", "signal=none"],
  "-e",
  "trace=openat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,fallocate,copy_file_range,sendfile," +
    "fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat",
];

/** An acknowledgement is a write of this text to standard output. */
const acknowledgement = "acknowledged ";

/** LMDB makes its lock file anew after a crash. */
const volatileNames: readonly string[] = ["lock.mdb"];

export interface Judgement {
  readonly acknowledgements: number;
  /** Flushes of files or folders under the watched one. */
  readonly flushes: number;
  /** What was acknowledged or referred to before it was flushed, in words. */
  readonly violations: readonly string[];
}

interface Call {
  readonly name: string;
  readonly text: string;
  /** Lines of the trace at which it began and ended; another thread's calls may lie between. */
  readonly began: number;
  readonly ended: number;
}

/**
 * Judges a system-call trace of one process: at each acknowledgement, every byte written under
 * `folder` and every name made there was flushed by a call that began after the write had ended. A
 * write through a descriptor opened with O_DSYNC flushes itself, and must not come before the
 * flush of what it refers to, the other writes to its file.
 */
export function unflushedAcknowledgements(trace: string, folder: string): Judgement {
  const written = new Map<string, number>();
  const named = new Map<string, number>();
  const synchronous = new Set<string>();
  const violations: string[] = [];
  let acknowledgements = 0;
  let flushes = 0;
  const inside = (path: string): boolean =>
    (path.startsWith(`${folder}/`) || path === folder) && !volatileNames.includes(basename(path));
  const name = (path: string, at: number): void => {
    if (inside(path)) named.set(path, at);
  };

  for (const call of callsOf(trace)) {
    const { path, descriptor } = fileOf(call);
    const [from = "", to = ""] = pathsOf(call);
    if (/^(fsync|fdatasync)$/.test(call.name)) {
      if (inside(path)) flushes += 1;
      if ((written.get(path) ?? Infinity) <= call.began) written.delete(path);
      for (const [made, at] of named)
        if (dirname(made) === path && at <= call.began) named.delete(made);
    } else if (call.name === "openat") {
      const opened = / = (\d+)</.exec(call.text)?.[1] ?? "";
      if (/O_D?SYNC/.test(call.text)) synchronous.add(opened);
      else synchronous.delete(opened);
      if (call.text.includes("O_CREAT") && !named.has(from)) name(from, call.ended);
    } else if (call.name.startsWith("rename")) {
      if (written.has(from)) written.set(to, written.get(from) ?? 0);
      written.delete(from);
      named.delete(from);
      name(to, call.ended);
    } else if (call.name.startsWith("link")) {
      if (written.has(from)) violations.push(`${to} was linked before its bytes were flushed`);
      name(to, call.ended);
    } else if (call.name.startsWith("unlink")) {
      named.delete(from);
      written.delete(from);
    } else if (call.name.startsWith("mkdir")) {
      name(from, call.ended);
    } else if (call.text.includes(`"${acknowledgement}`)) {
      acknowledgements += 1;
      const late = [...written.keys(), ...named.keys()];
      if (late.length > 0) violations.push(`acknowledged before a flush of ${late.join(", ")}`);
    } else if (inside(path)) {
      if (!synchronous.has(descriptor)) written.set(path, call.ended);
      else if (written.has(path)) violations.push(`${path} was referred to before its flush`);
    }
  }
  return { acknowledgements, flushes, violations };
}

/** Puts together the calls that another thread's call interrupted in the trace; drops failed ones. */
function callsOf(trace: string): Call[] {
  const open = new Map<string, { text: string; began: number }>();
  const calls: Call[] = [];
  for (const [at, line] of trace.split("\n").entries()) {
    const [, thread = "", text = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (text.endsWith("<unfinished ...>")) {
      open.set(thread, { text: text.replace("<unfinished ...>", ""), began: at });
      continue;
    }
    const rest = /^<\.\.\. \w+ resumed>(.*)$/.exec(text)?.[1];
    const start = rest === undefined ? undefined : open.get(thread);
    const whole = start === undefined ? text : start.text + (rest ?? "");
    const name = /^(\w+)\(/.exec(whole)?.[1];
    if (name === undefined || / = -1 /.test(whole)) continue;
    calls.push({ name, text: whole, began: start?.began ?? at, ended: at });
  }
  return calls;
}

/** The descriptor that a call names first, and its path. */
function fileOf({ text }: Call): { path: string; descriptor: string } {
  const [, descriptor = "", path = ""] = /^\w+\((\d+)<([^>]*)>/.exec(text) ?? [];
  return { path, descriptor };
}

/** The paths that a call names in quotes, absolute. */
function pathsOf({ name, text }: Call): string[] {
  if (/write|sync/.test(name)) return [];
  const folders = [...text.matchAll(/AT_FDCWD<([^>]*)>/g)].map((match) => match[1] ?? "");
  return [...text.matchAll(/"([^"]*)"/g)].map((match, n) =>
    resolve(folders[n] ?? "/", match[1] ?? ""),
  );
}
