import { contentName, HeddleError, isHeddleError } from "@heddle/base";
import type { ModelDefinition } from "@heddle/sdk";
import type { Clients } from "../host/clients.ts";
import { checkColumns } from "./example-columns.ts";
import { askRouted } from "./until-routed.ts";

/** A candidate in its place. */
export interface RankedRow {
  readonly row: Record<string, unknown>;
  /** Probability, or the fallback feature's value. */
  readonly score: number;
}

export type Answer =
  | {
      readonly kind: "score";
      readonly version: string;
      readonly prediction: number;
      readonly row: Record<string, unknown>;
    }
  | {
      readonly kind: "ranking";
      readonly version: string;
      readonly definition: ModelDefinition;
      readonly candidates: number;
      readonly ranked: readonly RankedRow[];
      readonly fallback: readonly RankedRow[];
    };

const timeoutMs = 120_000;

/**
 * Completes an example with the features of the served version, as known at `timeMs` (0: now), and
 * asks what is served. Brings the online values up to date first; that is no work when nothing changed.
 */
export async function askServed(
  clients: Clients,
  model: string,
  example: Readonly<Record<string, unknown>>,
  { limit, timeMs }: { readonly limit: number; readonly timeMs: number },
): Promise<Answer> {
  const { live, definitionJson } = await servedDefinition(clients, model);
  const definition = JSON.parse(definitionJson) as ModelDefinition;
  await checkColumns(clients, definition, example);
  const current = await clients.featureStore.materialise(
    {
      requestId: contentName({ materialise: definitionJson }),
      modelDefinitionJson: definitionJson,
      asOfTimeMs: 0n,
    },
    { timeoutMs },
  );
  const ranks = definition.examples.kind === "candidates";
  const { rowsJson, asOfTimeMs } = await clients.featureStore.getOnlineFeatures(
    {
      modelDefinitionJson: definitionJson,
      examplesJson: JSON.stringify([example]),
      timeMs: BigInt(timeMs),
      withCandidates: ranks,
      // Another feature store may answer than the one that wrote them.
      notBeforeTimeMs: current.asOfTimeMs,
    },
    { timeoutMs },
  );
  const rows = JSON.parse(rowsJson) as Record<string, unknown>[];
  const asked = <T extends { version: string }>(ask: () => Promise<T>): Promise<T> =>
    live ? askRouted(clients, model, ask) : askUnserved(model, ask);
  const request = { model, rowsJson, timeMs: timeMs === 0 ? asOfTimeMs : BigInt(timeMs) };
  if (!ranks) {
    const { predictions, version } = await asked(() =>
      clients.modelServer.predict(request, { timeoutMs }),
    );
    return { kind: "score", version, prediction: predictions[0] ?? 0, row: rows[0] ?? {} };
  }
  const rank = async (fallback: boolean) => {
    const { ranked, version } = await clients.modelServer.rank(
      { ...request, limit, fallback },
      { timeoutMs },
    );
    return { version, rows: ranked.map(({ row, score }) => ({ row: rows[row] ?? {}, score })) };
  };
  const [byModel, byFallback] = [await asked(() => rank(false)), await rank(true)];
  return {
    kind: "ranking",
    version: byModel.version,
    definition,
    candidates: rows.length,
    ranked: byModel.rows,
    fallback: byFallback.rows,
  };
}

/** Before a version serves there may be a fallback, and mostly nothing. @throws {HeddleError} NOT_FOUND NOTHING_LIVE. */
async function askUnserved<T>(model: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!isHeddleError(error, "UNKNOWN_MODEL")) throw error;
    throw new HeddleError(
      "NOT_FOUND",
      "NOTHING_LIVE",
      `no version of model ${model} is live: train one that passes its gate; "heddle versions ${model}" lists those there are, each with its verdict`,
      { cause: error },
    );
  }
}

/** The definition that the live version was trained by, or the newest applied when none is live. */
async function servedDefinition({ registry }: Clients, model: string) {
  const { version } = await registry.whatWasLive({ model }, { timeoutMs });
  const configuration = version?.recipe?.configuration ?? "";
  const request = { configuration, model };
  const { definitionJson } = await registry.getConfiguration(request, { timeoutMs });
  return { live: version !== undefined, definitionJson };
}
