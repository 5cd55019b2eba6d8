import { basename, resolve } from "node:path";
import type { BenchOptions } from "../main.ts";
import { root } from "./clone.ts";

/** A tree of sources with its packages. */
export interface Checkout {
  readonly name: string;
  readonly root: string;
}

/** This one, and beside it, in the same rounds, the one that `--beside=FOLDER` names: a change is measured beside what was there before. */
export function checkoutsOf({ args: { beside } }: Pick<BenchOptions, "args">): {
  readonly own: Checkout;
  readonly other?: Checkout;
} {
  const own = { name: "this checkout", root };
  if (beside === undefined) return { own };
  const folder = resolve(beside);
  return { own, other: { name: basename(folder), root: folder } };
}
