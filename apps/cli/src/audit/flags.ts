/** Parses a list of whole numbers from 1 to a limit: `1,2,4`. */
export const countsTo =
  (most: number) =>
  (text: string): number[] =>
    text.split(",").map((part) => countTo(most)(part));

/** Parses a whole number from 1 to a limit. */
export const countTo =
  (most: number) =>
  (text: string): number => {
    const count = Number(text);
    if (Number.isInteger(count) && count >= 1 && count <= most) return count;
    throw new SyntaxError(`${text} is no number from 1 to ${most}`);
  };

export function positive(text: string): number {
  const number = Number(text);
  if (number > 0) return number;
  throw new SyntaxError(`${text} is no number above 0`);
}

/** Parses a share from 0 to less than 1. */
export function share(text: string): number {
  const number = Number(text);
  if (text !== "" && number >= 0 && number < 1) return number;
  throw new SyntaxError(`${text} is no number from 0 to less than 1`);
}
