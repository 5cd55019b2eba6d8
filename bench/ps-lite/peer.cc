// ps-lite, as a peer of `npm run bench -- wire`: its worker, server and scheduler in processes of their own, over TCP.
//
//     peer <keys> <values of a key>
//
// For each line on stdin, a number of steps, the worker takes that many and prints the CPU seconds that all three spent on them. A step
// pulls the values of all keys, and pushes as many. The server does what that of ps-lite's own benchmark does (tests/test_kv_app_benchmark.cc):
// it answers with values that are there, and drops what is pushed.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "ps/ps.h"

namespace {

struct Work {
  size_t keys;
  size_t values;  // of a key
  float ValueAt(size_t i) const { return static_cast<float>(i % 1021) / 1024; }
  ps::SArray<float> Values() const {
    ps::SArray<float> all(keys * values);
    for (size_t i = 0; i < all.size(); ++i) all[i] = ValueAt(i);
    return all;
  }
};

// One that was free a moment ago.
std::string FreePort() {
  const int listening = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(place);
  CHECK_EQ(bind(listening, reinterpret_cast<sockaddr*>(&place), size), 0);
  CHECK_EQ(getsockname(listening, reinterpret_cast<sockaddr*>(&place), &size), 0);
  close(listening);
  return std::to_string(ntohs(place.sin_port));
}

double CpuSeconds(const std::vector<pid_t>& processes) {
  double sum = 0;
  for (const pid_t process : processes) {
    clockid_t clock;
    timespec spent{};
    CHECK_EQ(clock_getcpuclockid(process, &clock), 0);
    CHECK_EQ(clock_gettime(clock, &spent), 0);
    sum += static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
  }
  return sum;
}

// Resolves when everybody is there, as all of ps-lite does.
void StartAs(const char* role) {
  setenv("DMLC_ROLE", role, 1);
  ps::Start(0);
}

void RunScheduler(const Work&) {
  StartAs("scheduler");
  ps::Finalize(0, true);
}

void RunServer(const Work& work) {
  StartAs("server");
  const ps::SArray<float> values = work.Values();
  auto* server = new ps::KVServer<float>(0);
  server->set_request_handle([values](const ps::KVMeta& asked, const ps::KVPairs<float>& request,
                                      ps::KVServer<float>* self) {
    ps::KVPairs<float> answer;
    if (asked.pull) {
      answer.keys = request.keys;
      answer.vals = values;
    }
    self->Response(asked, answer);
  });
  ps::RegisterExitCallback([server] { delete server; });
  ps::Finalize(0, true);
}

void RunWorker(const Work& work, const std::vector<pid_t>& processes) {
  StartAs("worker");
  ps::KVWorker<float> worker(0, 0);
  // Ascending, as ps-lite asks for.
  ps::SArray<ps::Key> keys(work.keys);
  for (size_t i = 0; i < work.keys; ++i) keys[i] = ps::kMaxKey / work.keys * i;
  ps::SArray<float> pulled(work.keys * work.values);
  ps::SArray<float> pushed(work.keys * work.values);
  char line[32];
  while (std::fgets(line, sizeof(line), stdin) != nullptr) {
    const double before = CpuSeconds(processes);
    for (int left = std::atoi(line); left > 0; --left) {
      worker.Wait(worker.ZPull(keys, &pulled));
      std::copy(pulled.begin(), pulled.end(), pushed.begin());
      worker.Wait(worker.ZPush(keys, pushed));
    }
    std::printf("%.6f\n", CpuSeconds(processes) - before);
    std::fflush(stdout);
    for (size_t i = 0; i < pulled.size(); ++i) CHECK_EQ(pulled[i], work.ValueAt(i));
  }
  ps::Finalize(0, true);
}

pid_t Fork(void (*run)(const Work&), const Work& work) {
  const pid_t child = fork();
  CHECK_GE(child, 0);
  if (child > 0) return child;
  run(work);
  std::exit(0);
}

}  // namespace

int main(int count, char** arguments) {
  CHECK_EQ(count, 3);
  const Work work{std::stoul(arguments[1]), std::stoul(arguments[2])};
  setenv("DMLC_NUM_WORKER", "1", 1);
  setenv("DMLC_NUM_SERVER", "1", 1);
  setenv("DMLC_PS_ROOT_URI", "127.0.0.1", 1);
  setenv("DMLC_PS_ROOT_PORT", FreePort().c_str(), 1);
  setenv("DMLC_NODE_HOST", "127.0.0.1", 1);
  // Before this process has threads.
  const pid_t scheduler = Fork(RunScheduler, work);
  const pid_t server = Fork(RunServer, work);
  RunWorker(work, {getpid(), scheduler, server});
  for (const pid_t child : {scheduler, server}) waitpid(child, nullptr, 0);
}
