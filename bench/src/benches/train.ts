import type { Bench } from "../main.ts";
import { trainOnClicks } from "../train/clicks.ts";
import { trainOnGrocer } from "../train/grocer.ts";

/** Tables to train on, each by itself with `--data=<name>`. */
const tables = { clicks: trainOnClicks, grocer: trainOnGrocer } as const;

export const bench: Bench = {
  about: "whole training: Heddle beside TensorFlow and PyTorch, one process and several",
  run: async (options) => {
    const only = options.args["data"];
    const chosen = Object.entries(tables).filter(([name]) => only === undefined || name === only);
    const rows = [];
    for (const [, train] of chosen) rows.push(...(await train(options)));
    return rows;
  },
};
