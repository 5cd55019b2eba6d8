export {
  encodeFile,
  type FileHeader,
  type FilePart,
  tablePieces,
  type TableHeader,
  type TablePieces,
} from "./block-file.ts";
export { readLayers, type SourceFile, type Target } from "./layers.ts";
export { mergeParameters, partsOverlap } from "./merge.ts";
export { sortedPieces } from "./order.ts";
export {
  type DenseState,
  encodeParameters,
  type ParameterState,
  type TableState,
} from "./parameter-file.ts";
export { readState } from "./read-state.ts";
