/** Names that commands use. */
export const model = "grocer-ranking";
export const pipeline = "grocer-weekly";
