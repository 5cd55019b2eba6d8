"""The click model of bench `train` in one process: TensorFlow with sparse Adagrad, or PyTorch with fbgemm or sparse Adagrad.

argv: tensorflow | torch-fbgemm | torch-fbgemm-compile | torch-sparse, a folder with ids.i32, dense.f32, label.f32 and shape.json, rows of a batch.
stdin: any line trains once through the data, in its order, from new parameters; stdout: "<CPU seconds> <wall seconds> <mean loss>".
The data is in memory, and what a first step costs (tracing, compiling) is not counted. One thread.
"""
import json, os, sys, time

kind, folder, batch = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np

shape = json.load(open(os.path.join(folder, "shape.json")))
rows, fields, numbers, cardinality = (shape[k] for k in ("rows", "fields", "numbers", "cardinality"))
read = lambda name, dtype, *s: np.fromfile(os.path.join(folder, name), dtype).reshape(s)
ids, dense, label = read("ids.i32", np.int32, rows, fields), read("dense.f32", np.float32, rows, numbers), read("label.f32", np.float32, rows)
dim, hidden = 16, [256, 128]  # a row: the wide weight, 15 values of the embedding
widths = [numbers + fields * (dim - 1), *hidden, 1]
rate, dense_rate, start, epsilon, deviation = 0.05, 0.02, 0.1, 1e-7, 0.01
starts = range(0, rows - rows % batch, batch)


def layers(rng):
    return [(rng.normal(0, (2 / i) ** 0.5, (i, o)).astype(np.float32), np.zeros(o, np.float32)) for i, o in zip(widths, widths[1:])]


def table(rng):
    return (deviation * rng.standard_normal((fields * cardinality, dim), np.float32))


def tensorflow():
    import tensorflow as tf
    import tf_keras

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    adagrad = lambda r: tf_keras.optimizers.legacy.Adagrad(r, start, epsilon)
    rng = np.random.default_rng(1)
    emb = tf.Variable(table(rng))
    params = [tf.Variable(v) for pair in layers(rng) for v in pair]
    rows_opt, dense_opt = adagrad(rate), adagrad(dense_rate)

    @tf.function
    def step(ids, dense, label):
        with tf.GradientTape() as tape:
            e = tf.gather(emb, ids)
            h = tf.concat([dense, tf.reshape(e[:, :, 1:], [-1, fields * (dim - 1)])], 1)
            for i in range(0, len(params), 2):
                h = tf.matmul(h, params[i]) + params[i + 1]
                h = tf.nn.relu(h) if i < len(params) - 2 else h
            z = tf.reshape(h, [-1]) + tf.reduce_sum(e[:, :, 0], 1)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=label, logits=z))
        grads = tape.gradient(loss, [emb, *params])
        rows_opt.apply_gradients([(grads[0], emb)])
        dense_opt.apply_gradients(zip(grads[1:], params))
        return loss

    def reset():
        rng = np.random.default_rng(1)
        emb.assign(table(rng))
        for p, v in zip(params, [v for pair in layers(rng) for v in pair]):
            p.assign(v)
        for opt in (rows_opt, dense_opt):
            for v in opt.variables():
                if v.dtype.is_floating:
                    v.assign(tf.fill(v.shape, start))
    return reset, lambda at: float(step(tf.constant(ids[at]), tf.constant(dense[at]), tf.constant(label[at])))


def pytorch(how):
    import torch

    torch.set_num_threads(1)
    rng = np.random.default_rng(1)
    weights = torch.from_numpy(table(rng))
    params = [torch.nn.Parameter(torch.from_numpy(v)) for pair in layers(rng) for v in pair]
    dense_opt = torch.optim.Adagrad(params, dense_rate, initial_accumulator_value=start, eps=epsilon)

    if how.startswith("fbgemm"):
        import fbgemm_gpu  # noqa: F401, registers its kernels
        from fbgemm_gpu.split_embedding_configs import EmbOptimType
        from fbgemm_gpu.split_table_batched_embeddings_ops_common import EmbeddingLocation
        from fbgemm_gpu.split_table_batched_embeddings_ops_training import ComputeDevice, SplitTableBatchedEmbeddingBagsCodegen

        emb = SplitTableBatchedEmbeddingBagsCodegen(
            [(cardinality, dim, EmbeddingLocation.HOST, ComputeDevice.CPU)] * fields,
            optimizer=EmbOptimType.EXACT_ROWWISE_ADAGRAD, learning_rate=rate, eps=epsilon)
        offsets = torch.arange(fields * batch + 1, dtype=torch.int64)
        # Field after field, as the kernel wants it, and without the offset of the field.
        by_field = np.ascontiguousarray(ids.T) - (np.arange(fields, dtype=np.int32) * cardinality)[:, None]
        look = lambda at: emb(torch.from_numpy(np.ascontiguousarray(by_field[:, at]).reshape(-1)).long(), offsets).view(-1, fields, dim)
        rows_step = lambda: None  # fused into the backward pass

        def reset_rows(values):
            for f, w in enumerate(emb.split_embedding_weights()):
                w.data.copy_(values[f * cardinality:(f + 1) * cardinality])
            for states in emb.split_optimizer_states():
                for s in states:
                    s.fill_(start)
    else:
        emb = torch.nn.Embedding(fields * cardinality, dim, sparse=True)
        rows_opt = torch.optim.Adagrad(emb.parameters(), rate, initial_accumulator_value=start, eps=epsilon)
        look = lambda at: emb(torch.from_numpy(ids[at]))

        def rows_step():
            rows_opt.step()
            rows_opt.zero_grad(set_to_none=True)

        def reset_rows(values):
            emb.weight.data.copy_(values)
            rows_opt.state[emb.weight]["sum"].fill_(start)

    def forward(e, dense, label):
        h = torch.cat([dense, e[:, :, 1:].reshape(-1, fields * (dim - 1))], 1)
        for i in range(0, len(params), 2):
            h = torch.addmm(params[i + 1], h, params[i])
            h = torch.relu(h) if i < len(params) - 2 else h
        z = h.reshape(-1) + e[:, :, 0].sum(1)
        return torch.nn.functional.binary_cross_entropy_with_logits(z, label)
    if how.endswith("compile"):
        forward = torch.compile(forward, dynamic=False)

    def step(at):
        loss = forward(look(at), torch.from_numpy(dense[at]), torch.from_numpy(label[at]))
        loss.backward()
        rows_step()
        dense_opt.step()
        dense_opt.zero_grad(set_to_none=True)
        return float(loss.detach())

    def reset():
        reset_rows(weights)
        rng = np.random.default_rng(1)
        table(rng)
        for p, v in zip(params, [v for pair in layers(rng) for v in pair]):
            p.data.copy_(torch.from_numpy(v))
            dense_opt.state[p]["sum"].fill_(start)
    return reset, step


reset, step = tensorflow() if kind == "tensorflow" else pytorch(kind.removeprefix("torch-"))
step(slice(0, batch))
for _ in sys.stdin:
    reset()
    cpu, wall = time.process_time(), time.monotonic()
    loss = sum(step(slice(s, s + batch)) for s in starts) / len(starts)
    print(time.process_time() - cpu, time.monotonic() - wall, loss, flush=True)
