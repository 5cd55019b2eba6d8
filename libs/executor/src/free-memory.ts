/**
 * Gives the memory of a result back at once, when it was copied to where the caller wants it. Native libraries make new memory for each
 * result, megabytes a step; left to the collector, it would run every few steps, over everything there is.
 *
 * @param values nobody reads them after this.
 */
export function freeMemory(values: unknown): void {
  if (ArrayBuffer.isView(values) && values.buffer instanceof ArrayBuffer) values.buffer.transfer(0);
}
