import { once } from "node:events";
import { connect, type Socket } from "node:net";

const metadata = { apiKey: 3, version: 5 };
const answersWithinMs = 2_000;

/**
 * The cluster that a broker on this port belongs to; undefined while none answers.
 *
 * @source Kafka's protocol guide: request header v1, Metadata request and response v5.
 */
export async function clusterIdAt(port: number): Promise<string | undefined> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.setTimeout(answersWithinMs, () => socket.destroy());
  try {
    await once(socket, "connect");
    socket.write(request());
    return clusterIdOf(await answer(socket));
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

/** Asks for no topic. */
function request(): Buffer {
  const clientId = "heddle-tests";
  const body = Buffer.alloc(8 + 2 + clientId.length + 4 + 1);
  body.writeInt16BE(metadata.apiKey, 0);
  body.writeInt16BE(metadata.version, 2);
  body.writeInt32BE(1, 4);
  body.writeInt16BE(clientId.length, 8);
  body.write(clientId, 10);
  const size = Buffer.alloc(4);
  size.writeInt32BE(body.length);
  return Buffer.concat([size, body]);
}

async function answer(socket: Socket): Promise<Buffer> {
  let got = Buffer.alloc(0);
  for await (const chunk of socket) {
    got = Buffer.concat([got, chunk as Buffer]);
    if (got.length >= 4 && got.length >= 4 + got.readInt32BE(0)) return got.subarray(4);
  }
  throw new Error("the broker hung up");
}

function clusterIdOf(answer: Buffer): string {
  let at = 8;
  const int16 = (): number => answer.readInt16BE((at += 2) - 2);
  const int32 = (): number => answer.readInt32BE((at += 4) - 4);
  const text = (): string => {
    const length = Math.max(0, int16());
    return answer.toString("utf8", at, (at += length));
  };
  for (let brokers = int32(); brokers > 0; brokers--) {
    int32();
    text();
    int32();
    text();
  }
  return text();
}
