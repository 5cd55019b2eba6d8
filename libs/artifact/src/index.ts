export { mergeParameters } from "./merge.ts";
export {
  decodeParameters,
  type DenseState,
  encodeParameters,
  type ParameterState,
  type TableState,
} from "./parameter-file.ts";
