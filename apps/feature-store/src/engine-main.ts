import { ingestFile, materialise, openDuckdb } from "@heddle/feature-engine";
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
const db = await openDuckdb(settings);

const answer = ({ kind, task }: EngineRequest): Promise<unknown> =>
  kind === "ingest" ? ingestFile(db, task) : materialise(db, task);

// One at a time: they share the database.
let turn = Promise.resolve();
process.on("message", ({ call, request }: EngineCall) => {
  turn = turn.then(async () => {
    const reply: EngineReply = await answer(request).then(
      (result) => ({ call, result }),
      (error: unknown) => ({ call, error: wireError(error) }),
    );
    process.send?.(reply);
  });
});
