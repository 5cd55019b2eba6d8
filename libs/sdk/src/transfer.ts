/**
 * What a training that has no parent starts with: parameters of another model's version, by table and by layer. All others start as they
 * would without it. Values are taken over and optimiser slots begin anew, so the two models may have other update rules.
 */
export interface Transfer {
  /** Content name of the version, all 64 digits: `heddle versions MODEL --json` has it. */
  readonly from: string;
  /** Tables whose rows are taken over: `embeddings`, of which a model has one. A row belongs to an input's name and its value. */
  readonly tables?: readonly string[];
  /** Dense parameters taken over, by name, or by layer: `deep0` is `deep0_weights` and `deep0_bias`. */
  readonly dense?: readonly string[];
  /** Of those, tables, parameters and layers that training leaves as they are, in warm starts from this model's versions, too. */
  readonly frozen?: readonly string[];
}
