import { HeddleError } from "@heddle/base";
import type { ModelDefinition } from "@heddle/sdk";
import type { ArchitectureCode, ParameterSpec, Widths } from "@heddle/sdk/architecture";
import { dcnV2 } from "./architectures/dcn-v2.ts";
import { dlrm } from "./architectures/dlrm.ts";
import { factorisationMachine } from "./architectures/factorisation-machine.ts";
import { wideAndDeep } from "./architectures/wide-and-deep.ts";
import { loadModule } from "./module.ts";
import { type Term, termsOf } from "./terms.ts";

/** A definition's network: its functions, and what they are called with. */
export interface Network {
  /** Of one term. */
  readonly widths: Widths;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Of one term, in order of declaration. */
  readonly parameters: readonly (readonly [name: string, spec: ParameterSpec])[];
  readonly build: ArchitectureCode["build"];
  /** Each has parameters of its own. */
  readonly terms: readonly Term[];
}

/** Names that the steps give to other inputs than parameters. */
const taken = new Set(["numeric", "embedded", "wide", "joined", "label", "weight", "embeddings"]);
const rules = new Set(["sgd", "momentum", "adagrad", "adam"]);
const parameterValuesMax = 1 << 26;

/**
 * How wide the rows are that are evaluated and served. Those of two terms lie side by side as one: the wide weight and the embedding of
 * the long-term model, then both of the short-term one.
 */
export function widthsOf(definition: ModelDefinition): Widths {
  const { dimension } = definition.architecture;
  return widthsWith(definition, termsOf(definition).length * (1 + dimension) - 1);
}

function widthsWith({ inputs }: ModelDefinition, dimension: number): Widths {
  const numeric = inputs.filter((input) => input.kind === "numeric").length;
  const fields = inputs.length - numeric;
  return { numeric, fields, dimension, joined: numeric + fields * dimension };
}

/**
 * The network of a definition: one of ours, or one of its own module.
 *
 * @throws {HeddleError} INVALID_ARGUMENT MODULE_BROKEN, ARCHITECTURE_INVALID.
 */
export function networkOf(definition: ModelDefinition): Network {
  const { architecture } = definition;
  const widths = widthsWith(definition, architecture.dimension);
  const [code, settings] = codeOf(definition);
  let declared: Readonly<Record<string, ParameterSpec>>;
  try {
    declared = code.parameters(widths, settings);
  } catch (error) {
    throw invalid(definition, `its function parameters threw: ${String(error)}`, error);
  }
  const parameters = Object.entries(declared);
  if (architecture.kind === "module") {
    for (const [name, spec] of parameters) checkParameter(definition, name, spec);
  }
  const terms = termsOf(definition);
  checkNames(definition, terms, declared);
  return { widths, settings, parameters, build: (...given) => code.build(...given), terms };
}

type Settings = Readonly<Record<string, unknown>>;

function codeOf(definition: ModelDefinition): readonly [code: ArchitectureCode, Settings] {
  const { architecture } = definition;
  if (architecture.kind === "module") {
    return [loadModule(definition.name, architecture.module), architecture.settings ?? {}];
  }
  return [builtIn[architecture.kind] as unknown as ArchitectureCode, { ...architecture }];
}

/** Each reads its settings from the definition's architecture itself. */
const builtIn = {
  "wide-and-deep": wideAndDeep,
  "dcn-v2": dcnV2,
  dlrm,
  "factorisation-machine": factorisationMachine,
} as const;

function checkParameter(definition: ModelDefinition, name: string, spec: ParameterSpec): void {
  const wrong = (why: string): HeddleError => invalid(definition, `its parameter "${name}" ${why}`);
  if (!/^[A-Za-z_]\w{0,99}$/.test(name)) throw wrong("should be named by letters, digits and _");
  if (taken.has(name)) throw wrong("has the name of an input: choose another");
  const { shape, start, optimizer, moving } = spec;
  if (!isList(shape)) throw wrong("has no shape: give a list of sizes");
  const values = shape.reduce((size, side) => size * side, 1);
  if (!shape.every((side) => Number.isInteger(side) && side > 0) || values > parameterValuesMax) {
    throw wrong(
      `has shape [${String(shape)}]: give whole numbers above 0, ${parameterValuesMax} values at most`,
    );
  }
  const starts = ["zeros", "ones", "he", "glorot"];
  const normal = typeof start === "object" && Number.isFinite(start.normal);
  if (!normal && !starts.includes(start as string)) {
    throw wrong(
      `starts with ${JSON.stringify(start)}: expected ${starts.join(", ")} or { normal }`,
    );
  }
  if (optimizer !== undefined && !(rules.has(optimizer.kind) && optimizer.rate > 0)) {
    throw wrong(
      `has optimizer ${JSON.stringify(optimizer)}: expected kind ${[...rules].join(", ")}, with a rate above 0`,
    );
  }
  if (moving !== undefined && !(moving.momentum >= 0 && moving.momentum < 1)) {
    throw wrong(`moves with momentum ${moving.momentum}: expected 0 or more, less than 1`);
  }
}

/** The short-term model's parameters are told from all others by how their names begin. */
function checkNames(
  definition: ModelDefinition,
  terms: readonly Term[],
  declared: Readonly<Record<string, unknown>>,
): void {
  for (const { prefix } of terms.slice(1)) {
    const wrong = Object.keys(declared).find((name) => name.startsWith(prefix));
    if (wrong === undefined) continue;
    throw invalid(
      definition,
      `its parameter "${wrong}" begins with ${prefix}, as those of its short-term model do: choose another name`,
    );
  }
}

/** What comes out of a module need not be what its types say. */
const isList = (value: unknown): boolean => Array.isArray(value);

function invalid({ name }: ModelDefinition, why: string, cause?: unknown): HeddleError {
  return new HeddleError(
    "INVALID_ARGUMENT",
    "ARCHITECTURE_INVALID",
    `the architecture of model ${name} cannot be used: ${why}`,
    { metadata: { model: name }, cause },
  );
}
