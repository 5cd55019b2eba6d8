import { executorContract } from "../contract.ts";
import { tensorflowMissing } from "../fixtures/installed.ts";
import { openExecutor } from "../open-executor.ts";

executorContract("tensorflow", () => openExecutor({ kind: "tensorflow" }), {
  skip: tensorflowMissing,
});
