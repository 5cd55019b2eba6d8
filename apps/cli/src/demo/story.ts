import type { Definition } from "@heddle/sdk";
import type { Clients } from "../host/clients.ts";
import type { Progress } from "../output/progress.ts";
import type { Outcome } from "../pipeline/outcome.ts";

/** One training run that an example shows as a row of its table. */
export interface Chapter {
  /** What the row is called, e.g. `week 49`. */
  readonly label: string;
  /** Files that arrive before it, in order. */
  readonly arrivals: readonly {
    readonly source: string;
    readonly file: string;
    readonly branch?: string;
  }[];
  readonly pipeline: string;
  readonly window: string;
  readonly variant?: string;
  readonly branches?: Readonly<Record<string, string>>;
  /** Brings the online values up to date with what has arrived, beside the training. */
  readonly materialise?: (clients: Clients) => Promise<unknown>;
  /** A line said above the row: what is special about it. */
  readonly remark?: string;
}

/** What an example's `src/story.ts` exports as `story`. */
export interface Story {
  readonly title: string;
  /** Says in a few lines what will be seen. */
  readonly introduction: readonly string[];
  readonly pipeline: string;
  definitions(small: boolean): Promise<readonly Definition[]> | readonly Definition[];
  chapters(small: boolean, workFolder: string): Promise<readonly Chapter[]>;
  /** Key that makes the subjects' pseudonyms: an example's data is public, so that everyone sees the same bytes. */
  readonly pseudonymKey: string;
  /** The closing act: asks the served version and returns what to print. */
  finale(context: FinaleContext): Promise<string>;
  /** What to try next. */
  readonly next: readonly string[];
}

export interface FinaleContext {
  readonly clients: Clients;
  readonly progress: Progress;
  readonly outcomes: readonly Outcome[];
  readonly small: boolean;
}
