// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory_resource>
#include <string_view>
#include <utility>
#include <vector>

#include "core/uuid.hpp"

namespace crm_bridge::core {

// Why a client or an account is not linked by a matching of names (D6, D12); `matched`: it is.
enum class MatchReason : std::uint8_t {
  matched,
  account_not_mapped,
  ambiguous,
  no_account_of_that_name,
  no_name,
  unlinked
};
inline constexpr std::array match_reasons{
    MatchReason::matched,   MatchReason::account_not_mapped,
    MatchReason::ambiguous, MatchReason::no_account_of_that_name,
    MatchReason::no_name,   MatchReason::unlinked};
const char *to_text(MatchReason reason);  // "" for matched

// Ids in one array, found by open addressing.
class IdSet {
 public:
  explicit IdSet(std::pmr::memory_resource *memory) : slots_(memory) {}
  void insert(const Uuid &id);
  bool contains(const Uuid &id) const;

 private:
  std::size_t slot_of(const Uuid &id) const;
  void grow();

  std::pmr::vector<Uuid> slots_;
  std::size_t size_ = 0;
  bool has_nil_ = false;  // in slots_ the nil id marks an empty slot
};

// Clients and accounts of the same name, each record seen once and each name decided once.
// Only the accounts' names are kept: to a client whose name is not among them there is no account.
// Memory: 24 bytes a record; for each name of an account 24 bytes, its characters and 11 to 21
// bytes of hash table; arrays may have twice the room they need.
class ClientMatch {
 public:
  explicit ClientMatch(std::pmr::memory_resource *memory);
  ~ClientMatch();
  ClientMatch(const ClientMatch &) = delete;
  ClientMatch &operator=(const ClientMatch &) = delete;

  // First what is known of both: pairs that are linked, pairs that somebody ended by hand.
  void add_linked(const Uuid &account, const Uuid &client);
  void add_unlinked(const Uuid &account, const Uuid &client);
  // Then all accounts, then all clients; `key` as name_key makes it, empty where there is no name.
  void add_account(const Uuid &account, std::string_view key);
  void add_client(const Uuid &client, std::string_view key);

  // What becomes of a record that is not linked: `account` or `client` is nullptr, or neither of a
  // matched pair.
  using Visitor = std::function<void(const Uuid *account, const Uuid *client, MatchReason reason)>;
  // Each matched pair once, and each other record that is not linked yet.
  void judge(const Visitor &visit);

 private:
  struct Bearer {
    Uuid id;
    std::uint32_t name;  // its place in names_, or one of the two below
    bool linked;
  };
  static constexpr std::uint32_t nameless = 0xFFFFFFFF;
  static constexpr std::uint32_t not_among_accounts = 0xFFFFFFFE;
  static constexpr std::size_t chunk_size = std::size_t{1} << 20U;

  struct Name {
    const char *key;
    std::uint32_t length;
    std::uint32_t account;  // the first that bears it, by its place in accounts_
    std::uint32_t client;
    std::uint8_t accounts;  // how many bear it; "more than one" is 2
    std::uint8_t clients;
  };
  struct Slot {
    std::uint32_t hash;
    std::uint32_t name;  // nameless: the slot is empty
  };

  std::size_t slot_of(std::string_view key, std::uint32_t hash) const;
  void grow();
  const char *keep(std::string_view key);
  MatchReason decide(const Name &name);

  std::pmr::memory_resource *memory_;
  IdSet linked_accounts_;
  IdSet linked_clients_;
  std::pmr::vector<std::pair<Uuid, Uuid>> unlinked_;
  std::pmr::vector<Bearer> accounts_;
  std::pmr::vector<Bearer> clients_;
  std::pmr::vector<Name> names_;
  std::pmr::vector<Slot> slots_;
  std::pmr::vector<std::pair<char *, std::size_t>> chunks_;
  std::size_t chunk_left_ = 0;
};

}  // namespace crm_bridge::core
