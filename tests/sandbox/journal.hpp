// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "call.hpp"

#include <mutex>
#include <string>

namespace crm_bridge::sandbox {

// Every accepted effect as a JSON line, in the order in which the services took effect: what a
// checker compares with the database afterwards.
class Journal {
 public:
  Journal() = default;
  Journal(const std::string &file, bool sync);
  ~Journal();
  Journal(const Journal &) = delete;
  Journal &operator=(const Journal &) = delete;

  // Called under the service's lock, so that lines stand in the order of the effects.
  void append(const Json &effect);
  // Called before the answer is sent and outside the lock: an answered effect is on disk.
  void sync();

 private:
  int file_ = -1;
  bool sync_ = false;
  std::mutex mutex_;
};

}  // namespace crm_bridge::sandbox
