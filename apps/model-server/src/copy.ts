import { HeddleError, isHeddleError } from "@heddle/base";
import { failpoint } from "@heddle/failpoint";
import { type ModelManifest, readManifest } from "@heddle/model";
import type { ObjectInfo, Objects } from "@heddle/objects";

/**
 * Copies a version from the object store to the server's own store, every file checked against
 * the manifest on the way, the manifest last: a manifest that is there means that all of it is.
 * What is there already is read again and checked; a copy that was damaged is made afresh.
 *
 * @throws {HeddleError} DATA_LOSS COPY_CORRUPT when a file is missing, has other bytes, or is shorter.
 * @throws {HeddleError} FAILED_PRECONDITION UNSUPPORTED_MODEL when what the digest names is no manifest.
 */
export async function copyVersion(
  manifest: ObjectInfo,
  from: Objects,
  to: Objects,
): Promise<ModelManifest> {
  const parsed = await checked(manifest, () => readManifest(from, manifest));
  for (const { object: name, sha256, bytes } of parsed.files) {
    await copyObject({ name, sha256, bytes }, from, to);
  }
  failpoint("model-server.load.after-files");
  await copyObject(manifest, from, to);
  failpoint("model-server.load.after-manifest");
  return parsed;
}

/** Removes a version's copy, the manifest first. A file that another version shares is copied again when that one is loaded. */
export async function removeCopy(
  manifest: ObjectInfo,
  { files }: ModelManifest,
  copies: Objects,
): Promise<void> {
  await copies.delete(manifest.name);
  for (const file of files) await copies.delete(file.object);
}

async function copyObject(place: ObjectInfo, from: Objects, to: Objects): Promise<void> {
  if (await holds(to, place)) return;
  await to.delete(place.name);
  await to.put(place.name, await readChecked(place, from));
}

async function holds(objects: Objects, place: ObjectInfo): Promise<boolean> {
  try {
    return (await objects.get(place.name, place.sha256)).byteLength === place.bytes;
  } catch (error) {
    if (isHeddleError(error, "NO_SUCH_OBJECT") || isHeddleError(error, "OBJECT_CORRUPT")) {
      return false;
    }
    throw error;
  }
}

async function readChecked(place: ObjectInfo, objects: Objects): Promise<Uint8Array> {
  const bytes = await checked(place, () => objects.get(place.name, place.sha256));
  if (bytes.byteLength !== place.bytes) throw corrupt(place);
  return bytes;
}

/** What is missing or damaged at the source cannot be copied, whatever the store calls it. */
async function checked<T>(place: ObjectInfo, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const lost = isHeddleError(error, "NO_SUCH_OBJECT") || isHeddleError(error, "OBJECT_CORRUPT");
    throw lost ? corrupt(place, error) : error;
  }
}

function corrupt(place: ObjectInfo, cause?: unknown): HeddleError {
  return new HeddleError(
    "DATA_LOSS",
    "COPY_CORRUPT",
    `object ${place.name} does not have the ${place.bytes} bytes with SHA-256 ${place.sha256} that its version names: restore it, or publish another version`,
    { metadata: { object: place.name }, cause },
  );
}
