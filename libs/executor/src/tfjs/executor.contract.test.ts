import { executorContract } from "../contract.ts";
import { openExecutor } from "../open-executor.ts";

executorContract("tfjs", () => openExecutor({ kind: "tfjs" }));
