import type { Json } from "@heddle/base";
import type { CategoryExpression, FeatureType, ModelInput, NumberExpression } from "@heddle/sdk";

/** How a plan reads a feature: by identity, as a number, as a moment, or only whether it is there. */
type Use = "category" | "number" | "timestamp" | "presence";

/** The raw features that a plan reads and how. */
export function featureUses(inputs: readonly ModelInput[]): ReadonlyMap<string, Use> {
  const uses = new Map<string, Use>();
  const note = (feature: string, use: Use): void => {
    if (use !== "presence" || !uses.has(feature)) uses.set(feature, use);
  };
  const number = (expression: NumberExpression): void => {
    if (expression.op === "value") note(expression.feature, "number");
    else if (expression.op === "age-days") note(expression.feature, "timestamp");
    else if (expression.op === "is-missing") note(expression.feature, "presence");
    else {
      number(expression.of);
      if (expression.op === "ratio") number(expression.by);
      if (expression.op === "difference") number(expression.minus);
    }
  };
  const category = (expression: CategoryExpression): void => {
    if (expression.op === "category") note(expression.feature, "category");
    else if (expression.op === "cross") expression.of.forEach(category);
    else number(expression.of);
  };
  for (const input of inputs) {
    if (input.kind === "numeric") number(input.of);
    else category(input.of);
  }
  return uses;
}

/**
 * The types under which a request's values become columns. Truth values are numbers to a plan; a
 * column of them is known by its first value, and one that mixes them with numbers is refused.
 */
export function featureTypes(
  uses: ReadonlyMap<string, Use>,
  rows: readonly Readonly<Record<string, Json>>[],
): Record<string, FeatureType> {
  const types: Record<string, FeatureType> = {};
  for (const [feature, use] of uses) {
    if (use === "timestamp") types[feature] = "timestamp";
    else if (use !== "number") types[feature] = "category";
    else {
      const first = rows.find((row) => (row[feature] ?? null) !== null)?.[feature];
      types[feature] = typeof first === "boolean" ? "boolean" : "float64";
    }
  }
  return types;
}
