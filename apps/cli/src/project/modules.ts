import { resolve } from "node:path";
import type { CheckedModel } from "@heddle/model";
import type { Definition, ModelDefinition } from "@heddle/sdk";

/**
 * Puts the sources of model modules into the definitions that name them by path.
 *
 * @param folder where the definition file lies; paths are relative to it.
 * @throws {HeddleError} INVALID_ARGUMENT MODULE_BROKEN, MODULE_TOO_LARGE.
 */
export async function packModules(
  definitions: readonly Definition[],
  folder: string,
): Promise<Definition[]> {
  const packed: Definition[] = [];
  for (const definition of definitions) {
    const { architecture } = definition.kind === "model" ? definition : {};
    if (architecture?.kind !== "module" || typeof architecture.module !== "string") {
      packed.push(definition);
      continue;
    }
    const { packModule } = await import("@heddle/model");
    const module = packModule(definition.name, resolve(folder, architecture.module));
    packed.push({ ...(definition as ModelDefinition), architecture: { ...architecture, module } });
  }
  return packed;
}

/**
 * Tries out the networks that come from modules, before anything is registered. Those of ours are known to work.
 *
 * @returns how each will run, by the model's name.
 * @throws {HeddleError} as `checkModel` of @heddle/model.
 */
export async function checkModules(
  definitions: readonly Definition[],
): Promise<ReadonlyMap<string, CheckedModel>> {
  const checked = new Map<string, CheckedModel>();
  for (const definition of definitions) {
    if (definition.kind !== "model" || definition.architecture.kind !== "module") continue;
    // They take a second to load: only for those who need them.
    const [{ checkModel }, { openExecutor }] = await Promise.all([
      import("@heddle/model"),
      import("@heddle/executor"),
    ]);
    const executor = await openExecutor({ kind: "auto" });
    checked.set(definition.name, await checkModel(definition, executor));
  }
  return checked;
}
