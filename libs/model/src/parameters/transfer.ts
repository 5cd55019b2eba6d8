import { HeddleError, shortName } from "@heddle/base";
import type { ModelDefinition } from "@heddle/sdk";
import { embeddingTables, shapesOf } from "./parameters.ts";
import { covers } from "./frozen.ts";

/** Names of what a model takes over from another one's version. */
export interface TakenOver {
  readonly tables: ReadonlySet<string>;
  readonly dense: ReadonlySet<string>;
}

/**
 * What a definition's transfer names, resolved: layers as their parameters.
 *
 * @param source definition of the version that it names.
 * @throws {HeddleError} FAILED_PRECONDITION TRANSFER_DIFFERS naming what one of them has not, or has in another shape, and both shapes.
 */
export function takenOver(definition: ModelDefinition, source: ModelDefinition): TakenOver {
  const { from = "", tables = [], dense = [] } = definition.training.transfer ?? {};
  const refuse = (why: string): HeddleError => differs(definition, source, from, why);
  const [longTerm, there] = [longTermOf(definition), longTermOf(source)];
  const [own, other] = [tablesOf(longTerm), tablesOf(there)];
  for (const name of tables) {
    const [here, there] = [own.get(name), other.get(name)];
    if (here === undefined) throw refuse(`it has no table ${name}: ${known(own)}`);
    if (there === undefined) throw refuse(`the version has no table ${name}: ${known(other)}`);
    if (here === there) continue;
    throw refuse(`rows of table ${name} have ${here} values here and ${there} in the version`);
  }
  const [shapes, others] = [new Map(shapesOf(longTerm)), new Map(shapesOf(there))];
  const taken = new Set<string>();
  for (const entry of dense) {
    const names = [...shapes.keys()].filter((name) => covers([entry], name));
    if (names.length === 0) {
      throw refuse(`it has no dense parameter or layer ${entry}: ${known(shapes)}`);
    }
    for (const name of names) {
      const [here = [], there] = [shapes.get(name), others.get(name)];
      if (there === undefined) {
        throw refuse(`the version has no dense parameter ${name}: ${known(others)}`);
      }
      if (String(here) !== String(there)) {
        throw refuse(
          `dense parameter ${name} has shape [${here.join(", ")}] here and [${there.join(", ")}] in the version`,
        );
      }
      taken.add(name);
    }
  }
  return { tables: new Set(tables), dense: taken };
}

/** Values of a row by table; none where no input is embedded. */
function tablesOf(definition: ModelDefinition): ReadonlyMap<string, number> {
  const embeds = definition.inputs.some(({ kind }) => kind === "embedding");
  const tables = embeds ? embeddingTables(definition) : [];
  return new Map(tables.map(({ name, dimension }) => [name, dimension]));
}

/** A short-term model begins anew at each training, so it takes nothing over. */
function longTermOf({ shortTerm: _, ...definition }: ModelDefinition): ModelDefinition {
  return definition;
}

const known = (names: ReadonlyMap<string, unknown>): string =>
  names.size === 0 ? "there are none" : `there are ${[...names.keys()].join(", ")}`;

function differs(
  { name }: ModelDefinition,
  source: ModelDefinition,
  from: string,
  why: string,
): HeddleError {
  return new HeddleError(
    "FAILED_PRECONDITION",
    "TRANSFER_DIFFERS",
    `model ${name} cannot take over from version ${shortName(from)} of ${source.name}: ${why}; change training.transfer, or the architecture`,
    { metadata: { model: name, version: from } },
  );
}
