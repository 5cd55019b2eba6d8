export { startEvaluator } from "./start.ts";
