export type { CategoryColumn, Column, ColumnBatch, ExampleBatch, NumberColumn } from "./columns.ts";
export type { Fit, Fitter, ModelRows, TransformProgram } from "./port.ts";
