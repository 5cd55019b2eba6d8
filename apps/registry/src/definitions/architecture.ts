import { contentName, shortName } from "@heddle/base";
import { moduleBytesMax, moduleFilesMax } from "@heddle/model";
import type { ModelDefinition } from "@heddle/sdk";
import { z } from "zod";

const dimension = z.int().min(1).max(1_024);
const hidden = z.array(z.int().min(1).max(8_192)).max(16);

/** A module's sources. They are run by who trains and serves, never here. */
const path = z
  .string()
  .regex(
    /^(?!.*\.\.)[\w@.-]+(\/[\w@.-]+)*$/,
    "expected a relative path of letters, digits and @ . _ -",
  );
const ModuleSchema = z
  .strictObject(
    { entry: path, files: z.record(path, z.string()) },
    "expected the module's sources; heddle apply puts them in the place of its path",
  )
  .refine(({ entry, files }) => entry in files, "expected the entry among the files")
  .refine(
    ({ files }) =>
      Object.keys(files).length <= moduleFilesMax &&
      Object.values(files).reduce((sum, text) => sum + Buffer.byteLength(text), 0) <=
        moduleBytesMax,
    `expected at most ${moduleFilesMax} files of ${moduleBytesMax} bytes in all`,
  );
/** The networks that a definition may name. */
export const ArchitectureSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("wide-and-deep"), dimension, hidden }),
  z.strictObject({
    kind: z.literal("dcn-v2"),
    dimension,
    crossLayers: z.int().min(1).max(16),
    crossRank: z.int().min(1).max(4_096).exactOptional(),
    hidden,
  }),
  z.strictObject({ kind: z.literal("dlrm"), dimension, bottom: hidden, hidden }),
  z.strictObject({ kind: z.literal("factorisation-machine"), dimension }),
  z.strictObject({
    kind: z.literal("module"),
    dimension,
    module: ModuleSchema,
    settings: z.record(z.string(), z.unknown()).exactOptional(),
  }),
]);

/** A definition's architecture in a few words: a module by its file and the name that its texts give it. */
export function architectureText({
  architecture,
  shortTerm,
}: Pick<ModelDefinition, "architecture" | "shortTerm">): string {
  const twice = shortTerm === undefined ? "" : ", long-term and short-term";
  if (architecture.kind !== "module" || typeof architecture.module === "string") {
    return `${architecture.kind}${twice}`;
  }
  const { module } = architecture;
  return `module ${module.entry} ${shortName(contentName(module))}${twice}`;
}
