export { type EvaluatorDeps, type Running, startEvaluator } from "./start.ts";
