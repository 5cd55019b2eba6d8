export { startFeatureStore } from "./start.ts";
