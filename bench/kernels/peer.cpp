// The peer of `npm run bench -- kernels`: the table of libs/kernels in plain C++, on the same ids, for rows of 16 values with
// Adagrad. The same index and records, but neither staging nor borders of a language; the compiler knows the dimension.
// Reads a command a line, answers a number a line: `pull` and `push` take all batches once and say their seconds.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <time.h>
#include <vector>

static constexpr uint32_t dimension = 16;
static constexpr uint32_t cellMask = (1u << 25) - 1;
static constexpr size_t piece = 1024;

struct Record {
  uint64_t id;
  float values[dimension];
  float slots[dimension];
};

static std::vector<uint32_t> index_;
static std::vector<Record> records;
static uint32_t mask;

static inline uint64_t hashOf(uint64_t x) {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdULL;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return x ^ (x >> 33);
}

static inline Record* find(uint64_t id) {
  const uint64_t hash = hashOf(id);
  const uint32_t tag = uint32_t(hash >> 32) & ~cellMask;
  for (uint32_t at = uint32_t(hash) & mask;; at = (at + 1) & mask) {
    const uint32_t slot = index_[at];
    if (slot == 0) return nullptr;
    if ((slot & ~cellMask) != tag) continue;
    Record* record = &records[(slot & cellMask) - 1];
    if (record->id == id) return record;
  }
}

static void add(uint64_t id) {
  const uint64_t hash = hashOf(id);
  uint32_t at = uint32_t(hash) & mask;
  while (index_[at] != 0) at = (at + 1) & mask;
  Record record{};
  record.id = id;
  for (float& slot : record.slots) slot = 0.1f;
  records.push_back(record);
  index_[at] = (uint32_t(hash >> 32) & ~cellMask) | uint32_t(records.size());
}

static void pull(const uint64_t* ids, size_t count, float* out) {
  static Record* found[piece];
  for (size_t from = 0; from < count; from += piece) {
    const size_t n = count - from < piece ? count - from : piece;
    for (size_t i = 0; i < n; i++) found[i] = find(ids[from + i]);
    for (size_t i = 0; i < n; i++) {
      if (found[i] != nullptr) memcpy(out + (from + i) * dimension, found[i]->values, dimension * 4);
    }
  }
}

static bool finite(const float* gradients, size_t count) {
  int bad = 0;
  for (size_t i = 0; i < count; i++) bad |= !(fabsf(gradients[i]) <= 1e18f);
  return bad == 0;
}

static void push(const uint64_t* ids, size_t count, const float* gradients) {
  static Record* found[piece];
  if (!finite(gradients, count * dimension)) return;
  for (size_t from = 0; from < count; from += piece) {
    const size_t n = count - from < piece ? count - from : piece;
    for (size_t i = 0; i < n; i++) found[i] = find(ids[from + i]);
    for (size_t i = 0; i < n; i++) {
      if (found[i] == nullptr) continue;
      float* __restrict values = found[i]->values;
      float* __restrict slots = found[i]->slots;
      const float* __restrict g = gradients + (from + i) * dimension;
      for (uint32_t c = 0; c < dimension; c++) {
        slots[c] += g[c] * g[c];
        values[c] -= 0.05f * g[c] / (sqrtf(slots[c]) + 1e-7f);
      }
    }
  }
}

static double seconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
}

/** File: rows, batches, ids of a batch, all 64 bits wide; then the ids of the rows, then those of the batches. */
int main(int, char** argv) {
  FILE* file = fopen(argv[1], "rb");
  uint64_t head[3];
  if (file == nullptr || fread(head, 8, 3, file) != 3) return 1;
  const size_t rows = head[0], batches = head[1], batch = head[2];
  std::vector<uint64_t> ids(rows + batches * batch);
  if (fread(ids.data(), 8, ids.size(), file) != ids.size()) return 1;
  uint32_t size = 1024;
  while (uint64_t(rows) * 5 > uint64_t(size) * 4) size *= 2;
  index_.assign(size, 0);
  mask = size - 1;
  records.reserve(rows);
  for (size_t i = 0; i < rows; i++) add(ids[i]);
  std::vector<float> gradients(batch * dimension), out(batch * dimension);
  for (size_t i = 0; i < gradients.size(); i++) gradients[i] = (float(i % 1021) - 510) / 1024;
  char line[16];
  while (fgets(line, sizeof line, stdin) != nullptr) {
    const std::string command(line);
    const double started = seconds();
    double checksum = 0;
    for (size_t b = 0; b < batches; b++) {
      const uint64_t* those = ids.data() + rows + b * batch;
      if (command == "push\n") push(those, batch, gradients.data());
      else pull(those, batch, out.data());
      if (command == "sum\n") for (float x : out) checksum += x;
    }
    printf("%.17g\n", command == "sum\n" ? checksum : seconds() - started);
    fflush(stdout);
  }
}
