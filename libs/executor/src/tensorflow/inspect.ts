import { messageOf } from "@heddle/base";
import { findAddon, loadAddon, setupCommand } from "./addon.ts";
import { startGraph } from "./session.ts";

/** What is known of TensorFlow on this machine, and the command that installs it. */
export type TensorflowState = { readonly setUp: string } & (
  | { readonly kind: "runs"; readonly version: string; readonly gpu: boolean }
  | { readonly kind: "broken"; readonly why: string }
  | { readonly kind: "absent"; readonly possible: boolean }
);

/** The platforms that the set-up command has a tried recipe for. */
const setUpPlatforms = ["linux-x64"];

/** Looks for TensorFlow, and starts it where it is found: 0.5 s, and its threads stay for the process's life. */
export function inspectTensorflow(): TensorflowState {
  const setUp = setupCommand;
  if (findAddon() === undefined) {
    const possible = setUpPlatforms.includes(`${process.platform}-${process.arch}`);
    return { setUp, kind: "absent", possible };
  }
  try {
    const addon = loadAddon(1, startGraph);
    return { setUp, kind: "runs", version: addon.TF_Version, gpu: addon.isUsingGpuDevice() };
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return { setUp, kind: "broken", why: messageOf(cause) };
  }
}
