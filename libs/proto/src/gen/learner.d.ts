export * from "./heddle/learner/v1/training_pb.js";
