export type { TrainDeps, Usage } from "./deps.ts";
export { runTraining, type TrainOutputs, type TrainRequest } from "./run.ts";
