// SPDX-License-Identifier: PostgreSQL
#include "stop_signal.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <csignal>

#include <atomic>
#include <cstdint>
#include <stdexcept>

#include "exit_code.hpp"

namespace crm_bridge::worker {
namespace {

// What a signal handler may touch: lock-free atomics, write(2), alarm(2), _exit(2).
std::atomic<int> signals_seen{0};
std::atomic<int> event_descriptor{-1};
static_assert(std::atomic<int>::is_always_lock_free);

void ring() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event_descriptor.load(), &one, sizeof one);
}

extern "C" void on_signal(int) {
  const int seen = signals_seen.fetch_add(1) + 1;
  ring();
  if (seen >= 2) ::alarm(1);
}

extern "C" void on_alarm(int) { ::_exit(static_cast<int>(ExitCode::interrupted)); }

void handle(int signal_number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal_number, &action, nullptr);
}

}  // namespace

StopSignal::StopSignal() {
  event_descriptor = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event_descriptor < 0) throw std::runtime_error("could not create an eventfd");
  signals_seen = 0;
  handle(SIGTERM, on_signal);
  handle(SIGINT, on_signal);
  handle(SIGALRM, on_alarm);
  handle(SIGPIPE, SIG_IGN);
}

StopSignal::~StopSignal() {
  handle(SIGTERM, SIG_DFL);
  handle(SIGINT, SIG_DFL);
  ::close(event_descriptor.exchange(-1));
}

bool StopSignal::requested() const { return signals_seen.load(std::memory_order_relaxed) > 0; }

void StopSignal::request() {
  signals_seen.fetch_add(1);
  ring();
}

int StopSignal::descriptor() const { return event_descriptor.load(); }

bool StopSignal::wait(std::chrono::milliseconds longest) const {
  pollfd descriptor{event_descriptor.load(), POLLIN, 0};
  ::poll(&descriptor, 1, static_cast<int>(longest.count()));
  return requested();
}

}  // namespace crm_bridge::worker
