import { flushCompileCache } from "node:module";
import { ingestFile, materialise, openDuckdbPool } from "@heddle/feature-engine";
import { exitWithParent } from "@heddle/jobs";
import {
  type EngineCall,
  type EngineReply,
  type EngineRequest,
  wireError,
} from "./engine-protocol.ts";

/** The engine's process: DuckDB lives here, so that its threads and memory never weigh on the service. */
exitWithParent();
const settings = JSON.parse(process.env["HEDDLE_ENGINE"] ?? "{}") as {
  threads: number;
  memoryBytesMax: number;
  tempFolder: string;
};
// Works of different sources run side by side; more than two would share the same cores and memory.
const connections = 2;
const pool = await openDuckdbPool(settings, connections);
// Node keeps what it compiled when a process ends by itself, and this one is killed.
flushCompileCache();

const answer = ({ kind, task }: EngineRequest): Promise<unknown> =>
  pool.use(async (db): Promise<unknown> =>
    kind === "ingest" ? await ingestFile(db, task) : await materialise(db, task),
  );

process.on("message", ({ call, request }: EngineCall) => {
  void answer(request)
    .then(
      (result): EngineReply => ({ call, result }),
      (error: unknown): EngineReply => ({ call, error: wireError(error) }),
    )
    .then((reply) => process.send?.(reply));
});
