// What a call of the table takes and gives, row by row: see layout.ts for where it lies.
import { narrow, widen } from "./bfloat16";
import { copy, copyWide } from "../copy";
import { isDead } from "./life";
import {
  foundAt,
  halves,
  idBytes,
  idsAt,
  setVersion,
  slotBytes,
  slotsAt,
  storedBytes,
  valueBytes,
  valuesAt,
  versionBytes,
  versionOf,
  versionsAt,
} from "./layout";

export function idAt(i: u32): u64 {
  return load<u64>(idsAt + ((<usize>i) << 3));
}

export function stageId(i: u32, id: u64): void {
  store<u64>(idsAt + ((<usize>i) << 3), id);
}

/** The record of a staged id, or 0. */
export function foundRecord(i: u32): usize {
  return load<u32>(foundAt + ((<usize>i) << 2));
}

/** The record of a staged id whose row is not dead, or 0. */
export function livingRecord(i: u32): usize {
  const record = foundRecord(i);
  return record != 0 && isDead(record) ? 0 : record;
}

export function noteFound(i: u32, what: u32): void {
  store<u32>(foundAt + ((<usize>i) << 2), what);
}

export function stagedValues(i: u32): usize {
  return valuesAt + <usize>i * valueBytes;
}

export function stageVersion(i: u32, version: u32): void {
  if (versionBytes != 0) store<u32>(versionsAt + ((<usize>i) << 2), version);
}

/** Copies a row out whole. */
export function stageRow(record: usize, i: u32): void {
  stageId(i, load<u64>(record));
  stageVersion(i, versionOf(record));
  readValues(record, stagedValues(i));
  copy(record + idBytes + storedBytes, slotsAt + <usize>i * slotBytes, slotBytes);
}

/** Copies all of a row but its id in. */
export function unstageRow(record: usize, i: u32): void {
  setVersion(record, load<u32>(versionsAt + ((<usize>i) << 2)));
  writeValues(stagedValues(i), record);
  copy(slotsAt + <usize>i * slotBytes, record + idBytes + storedBytes, slotBytes);
}

/** A record's values as float32. */
export function readValues(record: usize, to: usize): void {
  if (halves) widen(record + idBytes, to);
  else copyWide(record + idBytes, to, valueBytes);
}

function writeValues(from: usize, record: usize): void {
  if (halves) narrow(from, record + idBytes);
  else copy(from, record + idBytes, valueBytes);
}
