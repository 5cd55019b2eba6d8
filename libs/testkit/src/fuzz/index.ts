export { type Answer, answerTo, bugCodes } from "./answer.ts";
export { type Case, caseOf, knownCaseOf, type KnownValues } from "./messages.ts";
