export { Limits } from "./config.ts";
