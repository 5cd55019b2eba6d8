import { buildCommand } from "@stricli/core";
import { shortName } from "@heddle/base";
import { type Context, hostFlags, type HostFlags, momentOf, oneArgument } from "../context.ts";
import { when } from "../output/numbers.ts";
import { table } from "../output/table.ts";

interface Flags extends HostFlags {
  readonly at?: number;
}

const timeoutMs = 30_000;

export const live = buildCommand({
  docs: {
    brief: "Say which version of a model was live, now or at a past moment, and every change",
  },
  parameters: {
    flags: {
      ...hostFlags,
      at: {
        kind: "parsed",
        parse: momentOf,
        brief: "Moment, ISO 8601, UTC unless it says its zone, e.g. 2026-11-23T18:00Z",
        optional: true,
      },
    },
    positional: oneArgument("model", "Model"),
  },
  async func(this: Context, flags: Flags, model: string) {
    const answer = await this.withHost(flags.state, (clients) =>
      clients.registry.whatWasLive({ model, timeMs: BigInt(flags.at ?? 0) }, { timeoutMs }),
    );
    this.print(flags, answer, () => {
      const { version, history } = answer;
      const name =
        version === undefined ? "none" : `v${version.number} ${shortName(version.version)}`;
      const changes = table(
        [{ header: "from" }, { header: "version" }, { header: "why" }, { header: "who" }],
        history.map((change) => [
          when(change.timeMs),
          change.version === "" ? "none" : `v${change.number} ${shortName(change.version)}`,
          change.reason,
          change.actor,
        ]),
      );
      return `live: ${name}\n\n${changes}`;
    });
  },
});
