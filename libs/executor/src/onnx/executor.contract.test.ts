import { executorContract } from "../contract.ts";
import { openExecutor } from "../open-executor.ts";

executorContract("onnx", () => openExecutor({ kind: "onnx" }));
executorContract("onnx, two threads", () => openExecutor({ kind: "onnx", threads: 2 }));
