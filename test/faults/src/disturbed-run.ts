import { setTimeout as sleep } from "node:timers/promises";
import { type Finished, heddleJson, startHeddle } from "@heddle/testkit";
import { descendantsOf, isAlive } from "./processes.ts";

/** One blow to a run: dying at a named place, or at a moment, in the process of that main file (`` for all at once). */
export type Blow =
  | { readonly kind: "failpoint"; readonly name: string }
  | { readonly kind: "moment"; readonly afterMs: number; readonly script: string };

/** Trainings in several processes, so that each can be struck by itself. */
const story = ["demo", "grocer", "--small", "--quiet", "--shards=2"];
/** Children end within a second of losing their parent; a second more for a loaded machine. */
const lastBreathMs = 10_000;

/**
 * Starts the small grocer once for each blow, lets the blow fall, and at last lets it finish.
 *
 * @returns how each struck start ended: code 0 when the run survived the blow, or was done before it fell.
 */
export async function disturbedRun(
  folder: string,
  blows: readonly Blow[],
  say: (text: string) => void,
): Promise<readonly Finished[]> {
  const ends: Finished[] = [];
  for (const blow of blows) {
    const end = await struckStart(folder, blow);
    const { code, signal, stderr } = end;
    ends.push(end);
    say(`${words(blow)}: exit ${signal ?? code} ${stderr.trim().split("\n").at(-1) ?? ""}`);
  }
  const { code, stderr } = await startHeddle(story, { cwd: folder }).finished;
  if (code !== 0) throw new Error(`the last start exited ${code}: ${stderr}`);
  return ends;
}

/** Names and verdicts of all versions: equal names mean equal bytes. */
export async function versionsIn(folder: string): Promise<string[]> {
  const { versions } = (await heddleJson(["versions", "grocer-ranking"], { cwd: folder })) as {
    versions: { number: number; version: string; verdict: string }[];
  };
  return versions.map(({ version, verdict }) => `${verdict} ${version}`).sort();
}

async function struckStart(folder: string, blow: Blow): Promise<Finished> {
  const environment = blow.kind === "failpoint" ? { HEDDLE_FAILPOINT: blow.name } : {};
  const { child, finished } = startHeddle(story, { cwd: folder, environment });
  const root = child.pid ?? 0;
  const met = new Set<number>();
  const ended = finished.then(() => true);
  const started = performance.now();
  for (let struck = false; !(await Promise.race([ended, sleep(100, false)]));) {
    for (const { pid } of descendantsOf(root)) met.add(pid);
    const due = blow.kind === "moment" && !struck && performance.now() - started >= blow.afterMs;
    if (due) struck = strike(root, blow.script);
  }
  const result = await finished;
  await allGone(met);
  return result;
}

/** Kills the process of that script once it is there. */
function strike(root: number, script: string): boolean {
  const victim =
    script === "" ? root : descendantsOf(root).find((process) => process.script === script)?.pid;
  if (victim === undefined) return false;
  process.kill(victim, "SIGKILL");
  return true;
}

async function allGone(pids: ReadonlySet<number>): Promise<void> {
  const until = performance.now() + lastBreathMs;
  while ([...pids].some(isAlive)) {
    if (performance.now() > until) throw new Error("a process outlived the loss of its parent");
    await sleep(50);
  }
}

function words(blow: Blow): string {
  if (blow.kind === "failpoint") return `failpoint ${blow.name}`;
  return `kill -9 ${blow.script === "" ? "of everything" : `of ${blow.script}`} after ${Math.round(blow.afterMs)} ms`;
}
