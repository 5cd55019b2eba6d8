export { type Blow, disturbedRun, versionsIn } from "./disturbed-run.ts";
