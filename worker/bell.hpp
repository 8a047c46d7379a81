// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace crm_bridge::worker {

// Wakes another thread's poll(2).
class Bell {
 public:
  Bell() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (descriptor_ < 0) throw std::runtime_error("could not create an eventfd");
  }
  ~Bell() { ::close(descriptor_); }
  Bell(const Bell &) = delete;
  Bell &operator=(const Bell &) = delete;

  void ring() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(descriptor_, &one, sizeof one);
  }
  // Tells whether it rang since the last time.
  bool rung() {
    std::uint64_t count = 0;
    return ::read(descriptor_, &count, sizeof count) > 0;
  }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// The bells of one process, by topic; topics are the payloads of the database's doorbell
// (docs/protocol.md).  Complete before the first thread starts.
class Bells {
 public:
  void add(const std::string &topic) { bells_[topic] = std::make_unique<Bell>(); }
  Bell &of(const std::string &topic) const { return *bells_.at(topic); }
  // A topic that nobody here waits for is not ours; an empty one concerns all.
  void ring(const std::string &topic) const {
    if (topic.empty()) return ring_all();
    const auto bell = bells_.find(topic);
    if (bell != bells_.end()) bell->second->ring();
  }
  void ring_all() const {
    for (const auto &[topic, bell] : bells_) bell->ring();
  }

 private:
  std::map<std::string, std::unique_ptr<Bell>> bells_;
};

// Sleeps until one of the descriptors is readable or the time is over.
inline void wait_for_any(std::initializer_list<int> descriptors,
                         std::chrono::milliseconds longest) {
  std::vector<pollfd> list;
  for (const int descriptor : descriptors) list.push_back({descriptor, POLLIN, 0});
  ::poll(list.data(), list.size(), static_cast<int>(longest.count()));
}

}  // namespace crm_bridge::worker
