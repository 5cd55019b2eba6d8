/** What is fetched, by version and digest: a file that differs is not used. */
export interface Pins {
  readonly wheel: string;
  readonly wheelSha256: string;
  readonly megabytes: number;
}

/** The addon's sources; npm's own digest of the package. */
export const addonPackage = {
  name: "@tensorflow/tfjs-node",
  version: "4.22.0",
  sha512:
    "sha512-uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==",
} as const;

/** The libtensorflow inside of the wheels, the newest release with wheels that hold its C library whole. */
export const tensorflowVersion = "2.15.1";

/** The wheel's build for this Python is fetched; no Python runs it, only its libraries are taken out. */
export const pythonTag = "311";

/** Digests as PyPI lists them, by flavour and platform. */
export const wheels: Readonly<Record<string, Pins>> = {
  "cpu linux-x64": {
    wheel: "tensorflow-cpu",
    wheelSha256: "54660c074d7241a503e81edfd9f5ef5af88f64051b72e2945f26318c790f2d26",
    megabytes: 207,
  },
  // It looks for CUDA 12.2 and cuDNN 8.9 when it starts, and computes on the CPU without them.
  "gpu linux-x64": {
    wheel: "tensorflow",
    wheelSha256: "bb0edd69103c154245c5f209f0507355cc68ba7e4de350084bc31edc562478e4",
    megabytes: 475,
  },
};
