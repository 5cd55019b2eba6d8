import { type Clock, isHeddleError } from "@heddle/base";
import type { Aggregate } from "./aggregate.ts";
import { type Aggregates, type Known, openAggregates } from "./aggregates.ts";
import type { Decision } from "./change.ts";
import type { ChangeContext } from "./change-context.ts";
import type { DocumentStore, ListOptions } from "../port.ts";

/** What a service opens its aggregates with. */
export interface StoreDeps {
  readonly store: DocumentStore;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Opens aggregates by what one of them is called and the collection they lie in. */
export type OpenCollection = <State>(noun: string, collection: string) => Aggregates<State>;

/** Opens the collections of one service. */
export function collectionsOf({ store, clock, random }: StoreDeps): OpenCollection {
  return <State>(noun: string, collection: string) =>
    openAggregates(store.collection<Aggregate<State>>(collection), { noun, clock, random });
}

/**
 * Creates an aggregate whose id says what it is, or finds the one that another request created.
 *
 * @param decision or who makes it, where that is some work: asked only when there is no such aggregate yet.
 */
export async function createOnce<State>(
  aggregates: Aggregates<State>,
  id: string,
  decision: Decision<State, undefined> | (() => Promise<Decision<State, undefined>>),
  context: ChangeContext,
): Promise<Known<State> & { readonly created: boolean }> {
  const known = await aggregates.get(id);
  if (known !== undefined) return { ...known, created: false };
  const first = typeof decision === "function" ? await decision() : decision;
  try {
    const { repeated, ...made } = await aggregates.create(id, first, context);
    return { ...made, created: !repeated };
  } catch (error) {
    if (!isHeddleError(error, "AGGREGATE_EXISTS")) throw error;
    const other = await aggregates.get(id);
    if (other === undefined) throw error;
    return { ...other, created: false };
  }
}

/** All aggregates of a collection in id order, read page by page. */
export async function listAll<State>(
  aggregates: Pick<Aggregates<State>, "list">,
  options: Omit<ListOptions, "after"> = {},
): Promise<Known<State>[]> {
  const all: Known<State>[] = [];
  let after: string | undefined;
  do {
    const page = await aggregates.list(after === undefined ? options : { ...options, after });
    all.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return all;
}
