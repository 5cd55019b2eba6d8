import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Chapter, type Story } from "@heddle/cli";
import { definitions } from "./definitions.ts";
import { feedOf } from "./feed.ts";
import { finale, materialise } from "./finale.ts";
import { model, pipeline } from "./names.ts";

const data = join(import.meta.dirname, "..", "data");
const brokenBranch = "new-format";

/** Weeks of a run: a base model through `base`, then one week at a time through `last`. */
interface Weeks {
  readonly first: number;
  readonly base: number;
  readonly last: number;
  /** The week whose discounted purchases the new feed loses. */
  readonly broken: number;
}

const full: Weeks = { first: 1, base: 49, last: 52, broken: 51 };
const small: Weeks = { first: 44, base: 45, last: 46, broken: 46 };

/** The main job: rank a store's promotions for a household, retrained week after week. */
export const story: Story = {
  title: "Heddle · grocer: which of this week's promotions will a household buy?",
  introduction: [
    "A year of a retailer's purchases and promotions (The Complete Journey, 84.51°).",
    "A model is trained on the past, then retrained each week as events arrive,",
    "judged on the week after, and served only when it passes. One week, a careless",
    "format change loses the discounts.",
  ],
  pipeline,
  pseudonymKey: "grocer-example-public-data",
  definitions: (isSmall) => definitions(isSmall),
  chapters,
  finale,
  next: [
    `npx heddle lineage ${model}   what the served version was made from`,
    `npx heddle trace ${pipeline}/50   where the time went, across processes`,
    `npx heddle rollback ${model}  serve the version before, in one call`,
    "npx heddle init --help              a project of your own, from a CSV file",
  ],
};

async function chapters(isSmall: boolean, workFolder: string): Promise<Chapter[]> {
  const weeks = isSmall ? small : full;
  await using feed = await feedOf(data, workFolder, isSmall);
  const list: Chapter[] = [];
  for (let week = weeks.base; week <= weeks.last; week++) {
    // The week after is needed too: a version is judged on what it has not seen.
    const from = week === weeks.base ? weeks.first : week + 1;
    const arrivals: Chapter["arrivals"][number][] = [];
    if (week === weeks.base) arrivals.push(...feed.references());
    for (let arriving = from; arriving <= week + 1; arriving++) {
      // A branch starts from the history so far: the new feed's file comes before the good one.
      if (arriving === weeks.broken) arrivals.push(await feed.broken(arriving, brokenBranch));
      arrivals.push(...(await feed.week(arriving)));
    }
    const regular = { pipeline, window: String(week) };
    if (week === weeks.broken) {
      list.push({
        ...regular,
        label: `week ${week}, new feed`,
        remark: "a changed file format drops every discounted purchase of the week:",
        arrivals,
        variant: brokenBranch,
        branches: { purchases: brokenBranch },
      });
    }
    list.push({
      ...regular,
      label: `week ${week}`,
      arrivals: (week === weeks.broken ? [] : arrivals).filter(({ file }) => existsSync(file)),
      ...(week === weeks.last ? { materialise } : {}),
    });
  }
  return list;
}
