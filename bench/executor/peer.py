"""The models of bench `executor` in TensorFlow or PyTorch, on one thread.

argv: tensorflow | torch | torch-bfloat16 | torch-compile | torch-cuda, a folder with <model>-<rows>/spec.json and one raw float32 file per input.
stdin: "<model> <rows> <steps>" per line; stdout: "<CPU milliseconds (torch-cuda: of wall time) per step> <loss> <norm of the embeddings' gradient>".
A step goes from tensors that are ready to loss, predictions and the gradient of every input that is learned.
"""
import json, os, sys, time

kind, folder = sys.argv[1:3]
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np

not_learned = {"label", "dense"}


def logits(m, model, x):
    """m: the few operations of a library by common names."""
    def mlp(h, names):
        for i, n in enumerate(names):
            h = m.add(m.matmul(h, x["w_" + n]), x["b_" + n])
            if i < len(names) - 1:
                h = m.relu(h)
        return h

    if model == "wide-deep":
        h = m.concat([x["emb"], x["dense"]])
        return m.reshape(m.add(mlp(h, ["d0", "d1", "d2"]), m.matmul(h, x["wide"])), [-1])
    if model == "dcn":
        x0 = m.concat([x["emb"], x["dense"]])
        c = x0
        for i in range(2):
            c = m.add(m.mul(x0, m.add(m.matmul(c, x[f"w_c{i}"]), x[f"b_c{i}"])), c)
        deep = m.relu(m.add(m.matmul(x0, x["w_d0"]), x["b_d0"]))
        deep = m.relu(m.add(m.matmul(deep, x["w_d1"]), x["b_d1"]))
        return m.reshape(m.matmul(m.concat([c, deep]), x["w_out"]), [-1])
    bottom = m.relu(mlp(x["dense"], ["p0", "p1"]))
    all = m.reshape(m.concat([bottom, x["emb"]]), [-1, 27, 16])
    pairs = m.reshape(m.matmul_t(all, all), [-1, 27 * 27])
    return m.reshape(mlp(m.concat([bottom, pairs]), ["t0", "t1", "t2"]), [-1])


def read(model, rows):
    where = os.path.join(folder, f"{model}-{rows}")
    spec = json.load(open(os.path.join(where, "spec.json")))
    return {n: np.fromfile(os.path.join(where, n + ".f32"), np.float32).reshape(s) for n, s in spec.items()}


def tensorflow():
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)

    class m:
        add, mul, matmul, relu, reshape = tf.add, tf.multiply, tf.matmul, tf.nn.relu, tf.reshape
        concat = staticmethod(lambda parts: tf.concat(parts, 1))
        matmul_t = staticmethod(lambda a, b: tf.matmul(a, b, transpose_b=True))

    def make(model):
        @tf.function
        def step(x):
            learned = {n: t for n, t in x.items() if n not in not_learned}
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(learned)
                z = logits(m, model, x)
                loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=x["label"], logits=z))
            return loss, tf.sigmoid(z), tape.gradient(loss, learned)
        return step

    def prepare(model, data):
        step, x = make(model), {n: tf.constant(v) for n, v in data.items()}

        def run():
            loss, p, grads = step(x)
            p.numpy()
            return float(loss), grads["emb"].numpy()
        return run
    return prepare


def pytorch(how):
    import torch

    torch.set_num_threads(1)

    class m:
        add, mul, matmul, relu, reshape = torch.add, torch.mul, torch.matmul, torch.relu, torch.reshape
        concat = staticmethod(lambda parts: torch.cat(parts, 1))
        matmul_t = staticmethod(lambda a, b: torch.matmul(a, b.transpose(1, 2)))

    def prepare(model, data):
        device = "cuda" if how == "cuda" else "cpu"
        x = {n: torch.from_numpy(v).to(device).requires_grad_(n not in not_learned) for n, v in data.items()}
        learned = [n for n in x if n not in not_learned]

        def forward(x):
            with torch.autocast("cpu", torch.bfloat16, enabled=how == "bfloat16"):
                z = logits(m, model, x)
            return torch.nn.functional.binary_cross_entropy_with_logits(z.float(), x["label"]), z
        if how == "compile":
            forward = torch.compile(forward, dynamic=False)

        def run():
            loss, z = forward(x)
            grads = torch.autograd.grad(loss, [x[n] for n in learned])
            torch.sigmoid(z.detach().float()).cpu().numpy()
            return float(loss.detach()), grads[learned.index("emb")].cpu().numpy()
        return run
    return prepare


prepare = tensorflow() if kind == "tensorflow" else pytorch(kind.removeprefix("torch").removeprefix("-"))
known = {}
clock = time.perf_counter if kind == "torch-cuda" else time.process_time
for line in sys.stdin:
    model, rows, steps = line.split()
    run = known.get((model, rows)) or known.setdefault((model, rows), prepare(model, read(model, rows)))
    started = clock()
    for _ in range(int(steps)):
        loss, grad = run()
    taken = clock() - started
    print(taken * 1e3 / int(steps), loss, float(np.linalg.norm(grad)), flush=True)
