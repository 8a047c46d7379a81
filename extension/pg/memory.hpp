// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "pg/boundary.hpp"

namespace crm_bridge::pg {

// Allocates in another context for the length of a block.
class ContextScope {
 public:
  explicit ContextScope(MemoryContext context) : previous_(MemoryContextSwitchTo(context)) {}
  ~ContextScope() { MemoryContextSwitchTo(previous_); }
  ContextScope(const ContextScope &) = delete;
  ContextScope &operator=(const ContextScope &) = delete;

 private:
  MemoryContext previous_;
};

// A context of its own for what is needed only for a while: a statement of a million rows must not
// keep what each of them allocated.
class Scratch {
 public:
  explicit Scratch(const char *purpose)
      : context_(call([&] {
          return AllocSetContextCreateInternal(CurrentMemoryContext, purpose,
                                               ALLOCSET_DEFAULT_SIZES);
        })),
        previous_(MemoryContextSwitchTo(context_)) {}
  ~Scratch() {
    MemoryContextSwitchTo(previous_);
    MemoryContextDelete(context_);  // unguarded: frees memory
  }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;
  void reset() { MemoryContextReset(context_); }

 private:
  MemoryContext context_;
  MemoryContext previous_;
};

}  // namespace crm_bridge::pg
