/** `all`: tests take all cases of their matrices, as `npm run test:thorough` has them do. */
export const casesVariable = "HEDDLE_TEST_CASES";

/**
 * Cases of a matrix: a few, spread evenly from the first to the last, so that `npm test` stays quick; all of them where
 * `npm run test:thorough` asks for it. The same ones every time: a case that fails today fails tomorrow.
 */
export function sample<T>(cases: readonly T[], few: number): readonly T[] {
  if (process.env[casesVariable] === "all" || few >= cases.length) return cases;
  const last = cases.length - 1;
  const chosen = Array.from({ length: few }, (_, i) =>
    Math.round((i * last) / Math.max(1, few - 1)),
  );
  return cases.filter((_, i) => chosen.includes(i));
}
