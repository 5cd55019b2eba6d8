import type { MessageInitShape } from "@bufbuild/protobuf";
import type { TableOptimizer } from "@heddle/kernels";
import type { OptimizerSchema } from "@heddle/proto/parameter-server";

/** An update rule as a shard is told it. */
export function optimizerMessage(
  optimizer: TableOptimizer,
): MessageInitShape<typeof OptimizerSchema> {
  switch (optimizer.kind) {
    case "sgd":
      return { rule: { case: "sgd", value: optimizer } };
    case "momentum":
      return { rule: { case: "momentum", value: optimizer } };
    case "adagrad":
      return { rule: { case: "adagrad", value: optimizer } };
    case "rowwise-adagrad":
      return { rule: { case: "rowwiseAdagrad", value: optimizer } };
    case "adam":
      return { rule: { case: "adam", value: optimizer } };
    case "ftrl":
      return { rule: { case: "ftrl", value: optimizer } };
  }
}
