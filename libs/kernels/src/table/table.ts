import type { InstanceMemory } from "./part.ts";
import type { ParameterTable, TableSpec } from "../port.ts";
import { createSplitTable } from "./split/split-table.ts";
import { slotsOfRow } from "./table-optimizer.ts";
import { pagesMax } from "../wasm.ts";
import { createPart } from "./create-part.ts";

/**
 * A table in as many WebAssembly instances as its rows may need, mostly one: an instance ends at 4 GiB.
 *
 * @param memory of an instance, smaller in tests.
 * @throws {HeddleError} RESOURCE_EXHAUSTED TABLE_FULL when there is no memory for an empty one.
 */
export function createTable(
  spec: TableSpec,
  memory: InstanceMemory = { pages: pagesMax },
): ParameterTable {
  const count = instancesOf(spec, memory);
  if (count === 1) return createPart(spec, memory);
  return createSplitTable(Array.from({ length: count }, () => createPart(spec, memory)));
}

/** Beyond values and slots at any moment: an id, a version, and an index that grows; see `table.test.ts`. */
const beyondBytes = 30;
/** Hashes part rows nearly evenly. */
const headroom = 1.02;

function instancesOf(
  { dimension, optimizer, rowsMax, storage }: TableSpec,
  memory: InstanceMemory,
) {
  const valueBytes = dimension * (storage === "bfloat16" ? 2 : 4);
  const rowBytes = valueBytes + 4 * slotsOfRow(optimizer, dimension) + beyondBytes;
  return Math.ceil((rowsMax * rowBytes * headroom) / (memory.pages * 65_536));
}
