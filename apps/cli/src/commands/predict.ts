import { buildCommand, numberParser } from "@stricli/core";
import { HeddleError, messageOf, shortName } from "@heddle/base";
import type { ModelDefinition } from "@heddle/sdk";
import { type Context, hostFlags, type HostFlags, momentOf } from "../context.ts";
import { table } from "../output/table.ts";

interface Flags extends HostFlags {
  readonly limit: number;
  readonly at?: number;
  readonly show?: string;
}

export const predict = buildCommand({
  docs: {
    brief: "Ask the served version: rank what is on offer for a visit, or score one row",
    fullDescription: [
      "EXAMPLE is JSON with the example's own columns. For a model that ranks candidates, the visit's",
      'keys are enough: the newest offers are looked up. E.g. heddle predict grocer-ranking \'{"household_id":',
      '1, "store_id": 367, "week": 53}\'. The fallback heuristic\'s order stands beside the model\'s.',
    ].join("\n"),
  },
  parameters: {
    flags: {
      ...hostFlags,
      limit: { kind: "parsed", parse: numberParser, brief: "At most this many", default: "10" },
      at: {
        kind: "parsed",
        parse: momentOf,
        brief: "Moment of the request; the newest known when absent",
        optional: true,
      },
      show: {
        kind: "parsed",
        parse: String,
        brief: "Feature to show beside each candidate",
        optional: true,
      },
    },
    positional: {
      kind: "tuple",
      parameters: [
        { brief: "Model", placeholder: "model", parse: String },
        { brief: "Example as JSON", placeholder: "example", parse: exampleOf },
      ],
    },
  },
  async func(this: Context, flags: Flags, model: string, example: Record<string, unknown>) {
    const { askServed } = await import("../serving/ask.ts");
    const answer = await this.withHost(flags.state, (clients) =>
      askServed(clients, model, example, { limit: flags.limit, timeMs: flags.at ?? 0 }),
    );
    this.print(flags, answer, () => {
      const by = answer.version === "" ? "the fallback" : `version ${shortName(answer.version)}`;
      if (answer.kind === "score") return `${answer.prediction.toFixed(4)}  by ${by}`;
      const shown = flags.show ?? itemOf(answer.definition);
      const name = (row: Record<string, unknown> | undefined): string => {
        const found = row?.[shown] ?? "";
        return typeof found === "string" ? found : JSON.stringify(found);
      };
      return [
        `answered by ${by}; beside it the fallback, ${answer.definition.fallback.name}`,
        table(
          [
            { header: "#", align: "right" },
            { header: shown },
            { header: "probability", align: "right" },
            { header: "fallback" },
          ],
          answer.ranked.map((entry, i) => [
            String(i + 1),
            name(entry.row),
            entry.score.toFixed(4),
            name(answer.fallback[i]?.row),
          ]),
        ),
      ].join("\n");
    });
  },
});

const itemOf = ({ examples }: ModelDefinition): string =>
  examples.kind === "candidates" ? examples.candidates.item : examples.label;

function exampleOf(text: string): Record<string, unknown> {
  const how = `write it as '{"household_id": 1}'`;
  let example: unknown;
  try {
    example = JSON.parse(text);
  } catch (error) {
    throw usage(`the example is no JSON (${messageOf(error)}); ${how}`);
  }
  if (typeof example !== "object" || example === null || Array.isArray(example)) {
    throw usage(`the example is no JSON object of columns and their values; ${how}`);
  }
  return example as Record<string, unknown>;
}

const usage = (message: string): HeddleError =>
  new HeddleError("INVALID_ARGUMENT", "USAGE_EXAMPLE", message);
