// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <unordered_set>

#include "pg/postgres.hpp"

namespace crm_bridge {

// Where a write comes from (`origin` of a mirror row and of its history).
enum class Origin : int { app, service, bridge, import, mass_update };
const char *to_text(Origin origin);

// What is under way over the links of one pairing.
struct Travel {
  std::string pairing;
  std::unordered_set<core::Uuid> links;
  std::unordered_set<core::Uuid> records{};  // their faces; a record has one link of a pairing
};

// Says of the statements that run inside it that they are the bridge's own.  It holds for the rows
// of one mirror only: what an app's own trigger writes elsewhere meanwhile is still the app's.
// Backend-local and lexical, so nobody can SET it and it ends with its block, whichever way that
// ends.
class WriteScope {
 public:
  WriteScope(Origin origin, std::string module, std::string actor,
             std::optional<core::Uuid> run = std::nullopt, const Travel *travel = nullptr);
  ~WriteScope();
  WriteScope(const WriteScope &) = delete;
  WriteScope &operator=(const WriteScope &) = delete;

  // The innermost scope if it speaks of this module; nullptr: an app is writing.
  static const WriteScope *current(std::string_view module);
  // Whether what is being written to this record has just come over its link of this pairing: it
  // must not travel back over it.
  static bool brought(std::string_view module, std::string_view pairing, const core::Uuid &record);
  // Whether a change is under way over this link, here or further out.
  static bool travels_over(const core::Uuid &link);
  // Whether a change is under way over any link.
  static bool travels();

  Origin origin() const { return origin_; }
  const std::string &actor() const { return actor_; }
  const std::optional<core::Uuid> &run() const { return run_; }

 private:
  Origin origin_;
  std::string module_;
  std::string actor_;
  std::optional<core::Uuid> run_;
  const Travel *travel_;
  const WriteScope *outer_;
};

}  // namespace crm_bridge
