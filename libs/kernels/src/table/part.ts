import type { Admitted } from "./push/admission.ts";
import type { ParameterTable } from "../port.ts";

/** What an instance may take. */
export interface InstanceMemory {
  /** Of 64 KiB. */
  readonly pages: number;
}

/** A table, or the rows of one that go to one instance. */
export interface Part extends ParameterTable {
  readonly counts?: Part;
  /** Rows that there would be with these ids, as a push of that version finds the table; expired ones are none. */
  rowsWith(ids: BigUint64Array, version: number): number;
  /** @throws {HeddleError} INVALID_ARGUMENT VERSION_INVALID, as a push of that version. */
  checkVersion(version: number | undefined): void;
  /** What a push of that version would do to the ids. */
  admitted(ids: BigUint64Array, version?: number): Admitted;
  /**
   * Makes room for rows of these ids.
   *
   * @returns for how many there is room: as many as are missing, or more.
   * @throws {HeddleError} RESOURCE_EXHAUSTED TABLE_FULL.
   */
  makeRoom(ids: BigUint64Array, what: string, version?: number): number;
  /** Values as `pull` gives them, of the table as a push of that version finds it. */
  pullBefore(version: number, ids: BigUint64Array, out: Float32Array): void;
  /** Removes the rows of those ids that have one. */
  remove(ids: BigUint64Array): void;
}
