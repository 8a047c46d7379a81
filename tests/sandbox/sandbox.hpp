// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "options.hpp"

#include <memory>
#include <string>

namespace crm_bridge::sandbox {

// All of it: six listeners over one state.  Constructed, it serves; destroyed, it is gone.
class Sandbox {
 public:
  explicit Sandbox(Options options);
  ~Sandbox();
  Sandbox(const Sandbox &) = delete;
  Sandbox &operator=(const Sandbox &) = delete;

  // "http://127.0.0.1:PORT"
  const std::string &accounts() const;
  const std::string &crm() const;
  const std::string &projects() const;
  const std::string &bigin() const;
  const std::string &graph() const;
  const std::string &control() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace crm_bridge::sandbox
