import type { Definition } from "@heddle/sdk";
import { ranker, weekly } from "./model.ts";
import { demographics, products, promotions, purchases } from "./sources.ts";
import { household, offer, product } from "./views.ts";

/** In the first weeks nobody has a past to learn from. */
const firstTrainingWeek = { full: 5, small: 44 };

/** All that the grocer registers. */
export function definitions(small: boolean): readonly Definition[] {
  return [
    ...[purchases, promotions, products, demographics],
    ...[offer, household, product],
    ranker(small),
    weekly(small ? firstTrainingWeek.small : firstTrainingWeek.full),
  ];
}
