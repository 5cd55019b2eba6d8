export { type FeatureStoreDeps, type Running, startFeatureStore } from "./start.ts";
