import { canonicalJson, HeddleError, present, sha256 } from "@heddle/base";
import type { Objects } from "@heddle/objects";
import type { ModelDefinition, ModelInput } from "@heddle/sdk";
import { decodeTensors, encodeTensors, type Tensor, tensorOf } from "@heddle/tensor";
import type { Fit } from "@heddle/transform";
import type { ModelTensors } from "../digest.ts";
import type { Golden } from "./golden.ts";
import { widthsOf } from "../network/architecture.ts";
import { shapesOf } from "../parameters/parameters.ts";
import type { ModelFile, ModelManifest } from "../port.ts";

/** What the files of a version hold, as opposed to what its manifest names. */
export interface ModelContents extends ModelTensors {
  readonly definition: ModelDefinition;
  readonly fit: Fit;
  readonly golden: Golden;
}

/** The `transform` file: all that another server needs to run the plan. */
interface TransformFile {
  readonly inputs: readonly ModelInput[];
  readonly fit: Fit;
}

/** Writes each file under its own digest, so that what two versions share is stored once. */
export async function putFiles(objects: Objects, contents: ModelContents): Promise<ModelFile[]> {
  const { definition, fit, golden } = contents;
  const transform: TransformFile = { inputs: definition.inputs, fit };
  const files: readonly [role: string, bytes: Uint8Array][] = [
    ["definition", jsonBytes(definition)],
    ["dense", encodeDense(contents)],
    ["embeddings", encodeEmbeddings(contents)],
    ["transform", jsonBytes(transform)],
    ["golden", jsonBytes(golden)],
  ];
  const written: ModelFile[] = [];
  for (const [role, bytes] of files) {
    const stored = await objects.put(`models/${role}/${sha256(bytes)}`, bytes);
    written.push({ role, object: stored.name, bytes: stored.bytes, sha256: stored.sha256 });
  }
  return written;
}

/**
 * The definition that a version was trained by.
 *
 * @throws {HeddleError} DATA_LOSS OBJECT_CORRUPT, MODEL_INCONSISTENT; NOT_FOUND NO_SUCH_OBJECT.
 */
export async function getDefinition(
  objects: Objects,
  manifest: ModelManifest,
): Promise<ModelDefinition> {
  return parse(await getFile(objects, manifest, "definition")) as ModelDefinition;
}

async function getFile(
  objects: Objects,
  manifest: ModelManifest,
  role: string,
): Promise<Uint8Array> {
  const file = manifest.files.find((each) => each.role === role);
  if (file === undefined) throw inconsistent(manifest, `it names no file ${role}`);
  return await objects.get(file.object, file.sha256);
}

/**
 * Reads the files of a version, each checked against the manifest's digest before it is used.
 *
 * @throws {HeddleError} DATA_LOSS OBJECT_CORRUPT, TENSOR_FILE_CORRUPT, MODEL_INCONSISTENT; NOT_FOUND NO_SUCH_OBJECT.
 */
export async function getFiles(objects: Objects, manifest: ModelManifest): Promise<ModelContents> {
  const bytesOf = (role: string): Promise<Uint8Array> => getFile(objects, manifest, role);
  const definition = await getDefinition(objects, manifest);
  const { fit } = parse(await bytesOf("transform")) as TransformFile;
  const golden = parse(await bytesOf("golden")) as Golden;
  const tensors = await decodeTensors(await bytesOf("dense"));
  const dense: Record<string, Float32Array> = {};
  for (const [name, shape] of shapesOf(definition)) {
    const tensor = tensorOf(tensors, name, "float32");
    if (tensor.shape.join() !== shape.join()) {
      const shapes = `[${tensor.shape.join()}], its definition says [${shape.join()}]`;
      throw inconsistent(manifest, `parameter ${name} has shape ${shapes}`);
    }
    dense[name] = tensor.data;
  }
  const embeddings = await decodeTensors(await bytesOf("embeddings"));
  const ids = tensorOf(embeddings, "ids", "uint64").data;
  const values = tensorOf(embeddings, "values", "float32").data;
  if (values.length !== ids.length * (1 + widthsOf(definition).dimension)) {
    throw inconsistent(manifest, `${values.length} values do not belong to ${ids.length} rows`);
  }
  return { definition, fit, golden, dense, ids, values };
}

/** Canonical JSON as bytes. */
export function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(canonicalJson(value));
}

function encodeDense({ definition, dense }: ModelContents): Uint8Array {
  const tensors = shapesOf(definition).map(([name, shape]): [string, Tensor] => [
    name,
    { dtype: "float32", shape, data: present(dense[name], `dense parameter ${name}`) },
  ]);
  return encodeTensors(Object.fromEntries(tensors));
}

function encodeEmbeddings({ definition, ids, values }: ModelContents): Uint8Array {
  const { dimension } = widthsOf(definition);
  return encodeTensors({
    ids: { dtype: "uint64", shape: [ids.length], data: ids },
    values: { dtype: "float32", shape: [ids.length, 1 + dimension], data: values },
  });
}

/** JSON whose digest was checked: what we wrote, so it can be parsed. */
function parse(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}

function inconsistent({ model, run }: ModelManifest, why: string): HeddleError {
  return new HeddleError(
    "DATA_LOSS",
    "MODEL_INCONSISTENT",
    `the version of ${model} from run ${run} does not fit together: ${why}; recreate it from its recipe`,
  );
}
