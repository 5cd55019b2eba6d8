import type { PlannedFeature } from "@heddle/feature-engine";
import type {
  CategoryExpression,
  FeatureType,
  ModelDefinition,
  NumberExpression,
} from "@heddle/sdk";
import { refuse } from "./definition.ts";
import { unknownName } from "./features.ts";

type Expression = NumberExpression | CategoryExpression;
type Read = Extract<Expression, { readonly feature: string }>;

const numbers: readonly FeatureType[] = ["int64", "float64", "boolean"];

/** Types of feature that an expression reads; any where it is not listed. */
const readable: Partial<Record<Read["op"], readonly FeatureType[]>> = {
  value: numbers,
  "age-days": ["timestamp"],
  category: ["category"],
};

/**
 * Checks that the model's inputs and its fallback read features its views have, of a type they can use.
 *
 * @throws {HeddleError} INVALID_ARGUMENT UNKNOWN_FEATURE with the nearest name, DEFINITION_INVALID.
 */
export function checkModelReads(
  { name, views, inputs, fallback }: ModelDefinition,
  features: readonly PlannedFeature[],
): void {
  const types = new Map(features.map((feature) => [feature.name, feature.plan.type]));
  const typeOf = (feature: string, where: string): FeatureType => {
    const type = types.get(feature);
    if (type !== undefined) return type;
    throw unknownName(
      "UNKNOWN_FEATURE",
      `${where} reads the feature "${feature}", which the model's views (${views.join(", ")}) have not`,
      feature,
      types.keys(),
    );
  };
  for (const input of inputs) {
    const where = `input ${input.name} of model ${name}`;
    for (const { op, feature } of readsOf(input.of)) {
      const type = typeOf(feature, where);
      const wanted = readable[op];
      if (wanted === undefined || wanted.includes(type)) continue;
      throw refuse(
        `${where} reads "${feature}", which is ${type}, by ${op}, which takes ${wanted.join(", ")}: declare the feature so, or read it otherwise`,
      );
    }
  }
  if (fallback.feature === undefined) return;
  const where = `fallback ${fallback.name} of model ${name}`;
  if (typeOf(fallback.feature, where) === "category") {
    throw refuse(`${where} ranks by "${fallback.feature}", which is category: name a number`);
  }
}

function readsOf(expression: Expression): readonly Read[] {
  if ("feature" in expression) return [expression];
  const parts = [
    expression.of,
    "by" in expression ? expression.by : [],
    "minus" in expression ? expression.minus : [],
  ];
  return parts.flat().flatMap(readsOf);
}
