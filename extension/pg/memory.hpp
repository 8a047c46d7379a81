// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <memory_resource>

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

// A context of its own for what core keeps in std::pmr containers: the server counts it, names it
// (pg_log_backend_memory_contexts) and frees it whatever happens.
class ContextMemory : public std::pmr::memory_resource {
 public:
  explicit ContextMemory(const char *purpose)
      : context_(call([&] {
          return AllocSetContextCreateInternal(CurrentMemoryContext, purpose,
                                               ALLOCSET_DEFAULT_SIZES);
        })) {}
  ~ContextMemory() override { MemoryContextDelete(context_); }  // unguarded: frees memory
  ContextMemory(const ContextMemory &) = delete;
  ContextMemory &operator=(const ContextMemory &) = delete;

 private:
  void *do_allocate(std::size_t bytes, std::size_t alignment) override {
    if (alignment > MAXIMUM_ALIGNOF || !AllocHugeSizeIsValid(bytes)) throw std::bad_alloc{};
    // Unguarded: of a valid size, and told to, it hands back nullptr instead of raising.
    void *const memory =
        MemoryContextAllocExtended(context_, bytes, MCXT_ALLOC_HUGE | MCXT_ALLOC_NO_OOM);
    if (memory == nullptr) throw std::bad_alloc{};
    return memory;
  }
  void do_deallocate(void *memory, std::size_t, std::size_t) override { pfree(memory); }
  bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override {
    return this == &other;
  }

  MemoryContext context_;
};

}  // namespace crm_bridge::pg
