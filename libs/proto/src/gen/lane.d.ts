export * from "./heddle/lane/v1/lane_pb.js";
