export { decodeTensors, encodeTensors, type Tensor, tensorOf, type Tensors } from "./file.ts";
export { allFinite, bigUint64Of, bytesOf, float32Of, uint16Of } from "./views.ts";
