export { type ExecutorOptions, openExecutor } from "./open-executor.ts";
export type {
  CompiledStep,
  Executor,
  InputSpec,
  Step,
  StepSpec,
  Tensor,
  TensorData,
  TensorFlow,
} from "./port.ts";
