// SPDX-License-Identifier: PostgreSQL
#include "core/client_match.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace crm_bridge::core {

namespace {

std::uint32_t hash_of(std::string_view key) {
  auto const wide = static_cast<std::uint64_t>(std::hash<std::string_view>{}(key));
  return static_cast<std::uint32_t>(wide ^ (wide >> 32U));
}

std::uint8_t one_more(std::uint8_t bearers) {
  return static_cast<std::uint8_t>(std::min(bearers + 1, 2));
}

// Places are 32 bits wide, and two of them have a meaning of their own.
void demand_room(std::size_t records) {
  if (records >= 0xFFFFFFFE) throw std::length_error{"too many records to match"};
}

}  // namespace

const char *to_text(MatchReason reason) {
  switch (reason) {
    case MatchReason::account_not_mapped:
      return "account_not_mapped";
    case MatchReason::ambiguous:
      return "ambiguous";
    case MatchReason::no_account_of_that_name:
      return "no_account_of_that_name";
    case MatchReason::no_name:
      return "no_name";
    case MatchReason::unlinked:
      return "unlinked";
    case MatchReason::matched:
      break;
  }
  return "";
}

std::size_t IdSet::slot_of(const Uuid &id) const {
  std::size_t const mask = slots_.size() - 1;
  std::size_t slot = std::hash<Uuid>{}(id)&mask;
  while (slots_[slot] != Uuid{} && slots_[slot] != id) slot = (slot + 1) & mask;
  return slot;
}

void IdSet::grow() {
  std::pmr::vector<Uuid> old{std::max<std::size_t>(64, slots_.size() * 2), Uuid{},
                             slots_.get_allocator()};
  old.swap(slots_);
  for (const Uuid &id : old)
    if (id != Uuid{}) slots_[slot_of(id)] = id;
}

void IdSet::insert(const Uuid &id) {
  if (id == Uuid{}) {
    has_nil_ = true;
    return;
  }
  if (size_ * 2 >= slots_.size()) grow();
  Uuid &slot = slots_[slot_of(id)];
  if (slot != id) ++size_;
  slot = id;
}

bool IdSet::contains(const Uuid &id) const {
  if (id == Uuid{}) return has_nil_;
  return size_ > 0 && slots_[slot_of(id)] == id;
}

ClientMatch::ClientMatch(std::pmr::memory_resource *memory)
    : memory_(memory),
      linked_accounts_(memory),
      linked_clients_(memory),
      unlinked_(memory),
      accounts_(memory),
      clients_(memory),
      names_(memory),
      slots_(memory),
      chunks_(memory) {}

ClientMatch::~ClientMatch() {
  for (auto const &[chunk, size] : chunks_) memory_->deallocate(chunk, size, 1);
}

void ClientMatch::add_linked(const Uuid &account, const Uuid &client) {
  linked_accounts_.insert(account);
  linked_clients_.insert(client);
}

void ClientMatch::add_unlinked(const Uuid &account, const Uuid &client) {
  unlinked_.emplace_back(account, client);
}

// Where the name is, or the empty slot where it belongs.
std::size_t ClientMatch::slot_of(std::string_view key, std::uint32_t hash) const {
  std::size_t const mask = slots_.size() - 1;
  for (std::size_t slot = hash & mask;; slot = (slot + 1) & mask) {
    const Slot &here = slots_[slot];
    if (here.name == nameless) return slot;
    if (here.hash != hash) continue;
    const Name &name = names_[here.name];
    if (std::string_view{name.key, name.length} == key) return slot;
  }
}

void ClientMatch::grow() {
  std::pmr::vector<Slot> old{std::max<std::size_t>(1024, slots_.size() * 2), Slot{0, nameless},
                             memory_};
  old.swap(slots_);
  std::size_t const mask = slots_.size() - 1;
  for (const Slot &moved : old) {
    if (moved.name == nameless) continue;
    std::size_t slot = moved.hash & mask;
    while (slots_[slot].name != nameless) slot = (slot + 1) & mask;
    slots_[slot] = moved;
  }
}

// Chunks, not one array: a name does not move when the next one comes.
const char *ClientMatch::keep(std::string_view key) {
  if (chunk_left_ < key.size()) {
    std::size_t const size = std::max(key.size(), chunk_size);
    chunks_.reserve(chunks_.size() + 1);
    chunks_.emplace_back(static_cast<char *>(memory_->allocate(size, 1)), size);
    chunk_left_ = size;
  }
  auto const &[chunk, size] = chunks_.back();
  char *const place = chunk + (size - chunk_left_);
  std::memcpy(place, key.data(), key.size());
  chunk_left_ -= key.size();
  return place;
}

void ClientMatch::add_account(const Uuid &account, std::string_view key) {
  demand_room(accounts_.size());
  Bearer bearer{account, nameless, linked_accounts_.contains(account)};
  if (!key.empty()) {
    if (names_.size() * 4 >= slots_.size() * 3) grow();
    std::uint32_t const hash = hash_of(key);
    Slot &slot = slots_[slot_of(key, hash)];
    if (slot.name == nameless) {
      names_.push_back({keep(key), static_cast<std::uint32_t>(key.size()),
                        static_cast<std::uint32_t>(accounts_.size()), 0, 0, 0});
      slot = {hash, static_cast<std::uint32_t>(names_.size() - 1)};
    }
    bearer.name = slot.name;
    Name &name = names_[slot.name];
    name.accounts = one_more(name.accounts);
  }
  accounts_.push_back(bearer);
}

void ClientMatch::add_client(const Uuid &client, std::string_view key) {
  demand_room(clients_.size());
  Bearer bearer{client, nameless, linked_clients_.contains(client)};
  if (!key.empty()) {
    bearer.name = slots_.empty() ? not_among_accounts : slots_[slot_of(key, hash_of(key))].name;
    if (bearer.name == nameless) {
      bearer.name = not_among_accounts;
    } else if (bearer.name != not_among_accounts) {
      Name &name = names_[bearer.name];
      if (name.clients == 0) name.client = static_cast<std::uint32_t>(clients_.size());
      name.clients = one_more(name.clients);
    }
  }
  clients_.push_back(bearer);
}

// Of a name that accounts bear.
MatchReason ClientMatch::decide(const Name &name) {
  if (name.clients == 0) return MatchReason::account_not_mapped;
  if (name.accounts > 1 || name.clients > 1) return MatchReason::ambiguous;
  const Bearer &account = accounts_[name.account];
  const Bearer &client = clients_[name.client];
  // What a person decided on this pair says more than that one of them has found another since.
  if (std::binary_search(unlinked_.begin(), unlinked_.end(), std::pair{account.id, client.id}))
    return MatchReason::unlinked;
  return account.linked || client.linked ? MatchReason::ambiguous : MatchReason::matched;
}

void ClientMatch::judge(const Visitor &visit) {
  std::sort(unlinked_.begin(), unlinked_.end());
  for (const Bearer &account : accounts_) {
    if (account.linked) continue;
    if (account.name == nameless) {
      visit(&account.id, nullptr, MatchReason::no_name);
      continue;
    }
    const Name &name = names_[account.name];
    MatchReason const reason = decide(name);
    visit(&account.id, reason == MatchReason::matched ? &clients_[name.client].id : nullptr,
          reason);
  }
  for (const Bearer &client : clients_) {
    if (client.linked) continue;
    if (client.name == nameless) {
      visit(nullptr, &client.id, MatchReason::no_name);
    } else if (client.name == not_among_accounts) {
      visit(nullptr, &client.id, MatchReason::no_account_of_that_name);
    } else if (MatchReason const reason = decide(names_[client.name]);
               reason != MatchReason::matched) {
      visit(nullptr, &client.id, reason);
    }
  }
}

}  // namespace crm_bridge::core
