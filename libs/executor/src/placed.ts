/** Memory for outputs, by name. */
export type Places = Readonly<Record<string, Float32Array>>;

/** Copies outputs to the memory that the caller gave for them, and hands on what has none. */
export function placed(
  outputs: Readonly<Record<string, Float32Array>>,
  into: Places = {},
): Record<string, Float32Array> {
  checkPlaces(outputs, into);
  const result = { ...outputs };
  for (const [name, place] of Object.entries(into)) {
    const values = outputs[name] ?? place;
    if (values.length !== place.length) {
      throw new TypeError(
        `output "${name}" has ${values.length} values, its memory ${place.length}`,
      );
    }
    place.set(values);
    result[name] = place;
  }
  return result;
}

/** @throws {TypeError} naming what is no output. */
export function checkPlaces(outputs: Readonly<Record<string, unknown>>, into: Places): void {
  const unknown = Object.keys(into).find((name) => !Object.hasOwn(outputs, name));
  if (unknown !== undefined) throw new TypeError(`there is no output "${unknown}" to write`);
}
