import type { Filter } from "mongodb";
import { keyOf } from "../bounds.ts";
import type { MongoDocument } from "./stored.ts";

const lastCodePoint = 0x10ffff;
const surrogates = { first: 0xd800, behind: 0xe000 };

/** A key as MongoDB gets it: the text of its bytes. */
export function idOf(key: string): string {
  return keyOf(key).toString();
}

/** The documents whose keys begin with `prefix` and come after `after`. */
export function keysBetween(prefix: string, after: string | undefined): Filter<MongoDocument> {
  const [head, last] = [textOf(prefix), after === undefined ? undefined : textOf(after)];
  const end = behind(head);
  return {
    _id: {
      $gte: head,
      ...(last === undefined ? {} : { $gt: last }),
      ...(end === undefined ? {} : { $lt: end }),
    },
  };
}

/** The first string, in the order of UTF-8 bytes, that is behind all that begin with the prefix; undefined when there is none. */
function behind(prefix: string): string | undefined {
  const points = Array.from(prefix, (c) => c.codePointAt(0) ?? 0);
  while (points.at(-1) === lastCodePoint) points.pop();
  const last = points.pop();
  if (last === undefined) return undefined;
  // The order of UTF-8 bytes is the order of code points; those of surrogates are no characters.
  const next = last + 1 === surrogates.first ? surrogates.behind : last + 1;
  return String.fromCodePoint(...points, next);
}

function textOf(key: string): string {
  return Buffer.from(key).toString();
}
