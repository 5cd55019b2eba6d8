// A reporter of `node --test`: tells as JSON what failed, so that the last lines of a check can say it. Beside the `spec` reporter, which
// says neither with which code or signal a file ended nor what it printed last.
import type { TestEvent } from "node:test/reporters";

export interface TestFailure {
  readonly file: string;
  /** Undefined where the file failed as a whole: its process ended badly, whatever its tests say. */
  readonly test?: string;
  /** The error's message, or how the process ended. */
  readonly why: string;
  /** Whether the file ran to the end of its tests, some passed and none failed: it died after them, not within one. */
  readonly othersPassed: boolean;
}

/** What is kept of a file's errors and diagnostics. */
const saidMax = 1_500;

/** Of each file's own: what it printed to the end, and how its tests went. */
interface FileReport {
  said: string;
  passed: number;
  /** Set by the file's own summary, which a process that dies within a test does not give. */
  finished: boolean;
  readonly failures: Omit<TestFailure, "file" | "othersPassed">[];
}

// Node asks for a default export.
// eslint-disable-next-line no-restricted-exports
export default async function* failures(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const files = new Map<string, FileReport>();
  for await (const event of events) note(files, event);
  yield JSON.stringify([...files].flatMap(([file, report]) => failuresOf(file, report)));
}

function note(files: Map<string, FileReport>, { type, data }: TestEvent): void {
  const { entryFile = "", file = "" } = data as { entryFile?: string; file?: string };
  const key = entryFile === "" ? file : entryFile;
  if (key === "") return;
  const report = files.get(key) ?? { said: "", passed: 0, finished: false, failures: [] };
  files.set(key, report);
  if (type === "test:pass") report.passed += 1;
  else if (type === "test:summary") report.finished = data.counts.cancelled === 0;
  else if (type === "test:stderr") report.said = (report.said + data.message).slice(-saidMax);
  else if (type === "test:diagnostic")
    report.said = `${report.said}${data.message}\n`.slice(-saidMax);
  else if (type === "test:fail") {
    const { name, details } = data;
    const error = details.error as Error & { exitCode?: number | null; signal?: string | null };
    // A test fails with those in it: one line is enough.
    if ((error as { failureType?: string }).failureType === "subtestsFailed") return;
    if (error.exitCode === undefined) report.failures.push({ test: name, why: error.message });
    else report.failures.push({ why: ended(error.exitCode, error.signal ?? null) });
  }
}

const ended = (code: number | null, signal: string | null): string =>
  signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;

function failuresOf(file: string, report: FileReport): TestFailure[] {
  const { said, passed, finished, failures: its } = report;
  const failed = its.filter(({ test }) => test !== undefined);
  return its.map(({ test, why }) => {
    const last =
      test === undefined && said.trim() !== "" ? `; its last words:\n${said.trim()}` : "";
    const othersPassed = finished && passed > 0 && failed.length === 0;
    return { file, ...(test === undefined ? {} : { test }), why: `${why}${last}`, othersPassed };
  });
}
