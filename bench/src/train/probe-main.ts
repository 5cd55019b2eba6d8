// Starts a job's program, leaves its process id where the bench finds it, and now and then what its memory holds: who measures
// from outside needs no change of the program.
import { renameSync, writeFileSync } from "node:fs";

const { HEDDLE_BENCH_PID: pidFile = "", HEDDLE_BENCH_ENTRY: entry = "" } = process.env;
/** Only where it is asked for: the files cost time that a bench of speed would count. */
const notes = process.env["HEDDLE_BENCH_MEMORY"] !== undefined;
const noteEveryMs = 500;

writeFileSync(pidFile, String(process.pid));
const file = `${pidFile}.memory`;
const note = (): void => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  // TensorFlow.js keeps its one engine here, whoever imported it.
  const engine = (globalThis as { _tfengine?: { state: { numTensors: number } } })._tfengine;
  const tensors = engine?.state.numTensors ?? 0;
  writeFileSync(`${file}.new`, JSON.stringify({ heapUsed, arrayBuffers, tensors }));
  renameSync(`${file}.new`, file);
};
if (notes) {
  note();
  setInterval(note, noteEveryMs).unref();
}
await import(entry);
