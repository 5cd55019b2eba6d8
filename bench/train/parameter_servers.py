"""The click model of bench `train` by TensorFlow's ParameterServerStrategy: one worker and two servers in processes of their own.

argv: a folder as `peer.py` has it, rows of a batch. stdin and stdout as there; CPU is that of all four processes.
Keras's optimisers do not take the shards of a variable here, so rows are moved by the operation that they call.
The worker reads its batches from the raw files, whose pages are in memory; steps are given to it ten at a time. One thread each.
"""
import json, os, socket, subprocess, sys, time

folder, batch = sys.argv[1], int(sys.argv[2])
task = json.loads(os.environ.get("TF_CONFIG", "{}")).get("task")
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
steps_per_call = 10


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def spawn(cluster, kind, index):
    config = json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})
    return subprocess.Popen([sys.executable, *sys.argv], env={**os.environ, "TF_CONFIG": config},
                            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if task is None:
    cluster = {"worker": [f"127.0.0.1:{free_port()}"], "ps": [f"127.0.0.1:{free_port()}" for _ in range(2)], "chief": [f"127.0.0.1:{free_port()}"]}
    children = [spawn(cluster, "worker", 0), spawn(cluster, "ps", 0), spawn(cluster, "ps", 1)]
    os.environ["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": {"type": "chief", "index": 0}})

import numpy as np
import tensorflow as tf
import tf_keras

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()

if task is not None:
    server = tf.distribute.Server(resolver.cluster_spec(), job_name=task["type"], task_index=task["index"], protocol="grpc")
    sys.stdin.read()  # until the coordinator is gone
    os._exit(0)

shape = json.load(open(os.path.join(folder, "shape.json")))
rows, fields, numbers, cardinality = (shape[k] for k in ("rows", "fields", "numbers", "cardinality"))
dim, hidden = 16, [256, 128]
widths = [numbers + fields * (dim - 1), *hidden, 1]
rate, dense_rate, start, epsilon, deviation = 0.05, 0.02, 0.1, 1e-7, 0.01

# Rows over both servers; a dense parameter is too small to be split.
partitioner = tf.distribute.experimental.partitioners.MinSizePartitioner(min_shard_bytes=1 << 20, max_shards=2)
strategy = tf.distribute.ParameterServerStrategy(resolver, variable_partitioner=partitioner)
coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
rng = np.random.default_rng(1)
rows_start = tf.random_normal_initializer(stddev=deviation, seed=1)


def rows_of(shape, dtype=tf.float32, partition_shape=None, partition_offset=None):
    return rows_start(shape if partition_shape is None else partition_shape, dtype)


with strategy.scope():
    emb = tf.Variable(initial_value=lambda **part: rows_of([fields * cardinality, dim], **part),
                      shape=[fields * cardinality, dim], dtype=tf.float32)
    params = [tf.Variable(v) for i, o in zip(widths, widths[1:])
              for v in (rng.normal(0, (2 / i) ** 0.5, (i, o)).astype(np.float32), np.zeros(o, np.float32))]
    # Right after the table's shards, so each lands on the server of its shard.
    slots = tf.Variable(initial_value=lambda **part: tf.fill(part.get("partition_shape", [fields * cardinality, dim]), start),
                        shape=[fields * cardinality, dim], dtype=tf.float32)
    dense_opt = tf_keras.optimizers.legacy.Adagrad(dense_rate, start, epsilon)


def dataset_fn():
    record = lambda name, width, dtype: tf.data.FixedLengthRecordDataset(os.path.join(folder, name), batch * width * 4).map(
        lambda b: tf.reshape(tf.io.decode_raw(b, dtype), [batch, width]), num_parallel_calls=None)
    return tf.data.Dataset.zip((record("ids.i32", fields, tf.int32), record("dense.f32", numbers, tf.float32), record("label.f32", 1, tf.float32))).repeat()


@tf.function
def steps(iterator):
    def one(ids, dense, label):
        with tf.GradientTape() as tape:
            e = tf.nn.embedding_lookup(emb, ids)
            h = tf.concat([dense, tf.reshape(e[:, :, 1:], [-1, fields * (dim - 1)])], 1)
            for i in range(0, len(params), 2):
                h = tf.matmul(h, params[i]) + params[i + 1]
                h = tf.nn.relu(h) if i < len(params) - 2 else h
            z = tf.reshape(h, [-1]) + tf.reduce_sum(e[:, :, 0], 1)
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=label[:, 0], logits=z))
        shards = list(emb.variables)
        grads = tape.gradient(loss, shards + params)
        for grad, shard, slot in zip(grads, shards, slots.variables):
            with tf.device(shard.device):
                ids, index = tf.unique(grad.indices)
                values = tf.math.unsorted_segment_sum(grad.values, index, tf.size(ids))
                tf.raw_ops.ResourceSparseApplyAdagradV2(var=shard.handle, accum=slot.handle, lr=rate, epsilon=epsilon, grad=values, indices=ids)
        dense_opt.apply_gradients(zip(grads[len(shards):], params))
        return loss
    total = 0.0
    for _ in range(steps_per_call):
        total += strategy.run(one, args=next(iterator))
    return total


iterator = iter(coordinator.create_per_worker_dataset(dataset_fn))


def cpu():
    total = time.process_time()
    for child in children:
        stat = open(f"/proc/{child.pid}/stat").read().rsplit(")", 1)[1].split()
        total += (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return total


def train(calls):
    results = [coordinator.schedule(steps, args=(iterator,)) for _ in range(calls)]
    coordinator.join()
    return sum(float(r.fetch()) for r in results) / (calls * steps_per_call)


calls = max(1, rows // batch // steps_per_call)
train(1)
for _ in sys.stdin:
    before, wall = cpu(), time.monotonic()
    loss = train(calls)
    taken, seconds = cpu() - before, time.monotonic() - wall
    scale = rows / (calls * steps_per_call * batch)  # to the examples of the others
    print(taken * scale, seconds * scale, loss, flush=True)
for child in children:
    child.kill()
