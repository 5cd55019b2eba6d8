export { type ExecutorOptions, openExecutor } from "./open-executor.ts";
export { inspectTensorflow, type TensorflowState } from "./tensorflow/inspect.ts";
export type {
  CompiledStep,
  Executor,
  InputSpec,
  Precision,
  RunOptions,
  Step,
  StepSpec,
  Tensor,
  TensorData,
  TensorFlow,
} from "./port.ts";
