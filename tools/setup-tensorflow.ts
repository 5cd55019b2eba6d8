// npm run setup:tensorflow [-- --gpu] [--wheel=FILE]: installs what executor `tensorflow` needs, outside of the lock file.
import { join } from "node:path";
import { installTensorflow } from "./tensorflow/install.ts";

const target = join(import.meta.dirname, "../.heddle-tensorflow");
const wheel = process.argv.find((arg) => arg.startsWith("--wheel="))?.slice("--wheel=".length);
const flavour = process.argv.includes("--gpu") ? "gpu" : "cpu";
const started = Date.now();
const say = (text: string): void => {
  console.error(`[tensorflow +${Math.round((Date.now() - started) / 1_000)} s] ${text}`);
};

try {
  await installTensorflow({ target, flavour, say, ...(wheel === undefined ? {} : { wheel }) });
  say(`installed in ${target}; try it: npx heddle doctor`);
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
