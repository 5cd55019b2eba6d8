export { type EvaluatorDeps, startEvaluator } from "./start.ts";
