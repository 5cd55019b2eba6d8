export * from "./heddle/evaluator/v1/evaluator_service_pb.js";
