export * from "./heddle/common/v1/common_pb.js";
