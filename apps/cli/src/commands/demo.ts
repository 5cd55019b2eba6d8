import { buildCommand } from "@stricli/core";
import { type Context, hostFlags, quietFlag } from "../context.ts";
import type { DemoFlags } from "../demo/run.ts";

export const demo = buildCommand({
  docs: {
    brief: "Run an example from raw events to a verified, served model",
    fullDescription:
      "Runs examples/NAME on this machine. An unfinished run goes on where it stopped; a finished one is\nshown again, since every step is found by its content. --fresh begins anew.",
  },
  parameters: {
    flags: {
      ...hostFlags,
      small: {
        kind: "boolean",
        brief: "A small part of the data, about 20 seconds",
        default: false,
        withNegated: false,
      },
      fresh: {
        kind: "boolean",
        brief: "Remove the state folder first",
        default: false,
        withNegated: false,
      },
      executor: {
        kind: "enum",
        values: ["auto", "onnx", "tensorflow", "tfjs"],
        brief: "What runs training steps; heddle doctor says what is there",
        optional: true,
      },
      shards: {
        kind: "parsed",
        parse: wholeNumber,
        brief:
          "Processes that keep the parameters of a training; 0, as usual, is the learner itself",
        optional: true,
      },
      quiet: quietFlag,
    },
    positional: {
      kind: "tuple",
      parameters: [{ brief: "Example", placeholder: "name", parse: String, default: "grocer" }],
    },
  },
  async func(this: Context, flags: DemoFlags, name: string) {
    const { runDemo } = await import("../demo/run.ts");
    await runDemo(this, flags, name);
  },
});

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new SyntaxError(`${text} is no whole number`);
}
