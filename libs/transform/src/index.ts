export type { CategoryColumn, Column, ColumnBatch, ExampleBatch, NumberColumn } from "./columns.ts";
export { compileTransform, fitNothing } from "./compile.ts";
export { type Dictionary, type PackedTexts, textAt, textsOf } from "./dictionary.ts";
export { openFitter } from "./fitter.ts";
export type { CodedIds, Fit, Fitter, ModelRows, TransformProgram } from "./port.ts";
export { openArena, ownArrays, type RowArena, type RowMemory } from "./row-memory.ts";
export { columnsFromRows } from "./rows.ts";
