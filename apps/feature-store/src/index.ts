export { type FeatureStoreDeps, startFeatureStore } from "./start.ts";
