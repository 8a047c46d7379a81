// SPDX-License-Identifier: PostgreSQL
//
// One pass of core::ClientMatch against the rules of D6 and D12 spelled out slowly.
#include "core/client_match.hpp"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "random.hpp"

namespace core = crm_bridge::core;
using crm_bridge::test::Random;

namespace {

struct Record {
  core::Uuid id;
  std::string key;
};
using Pair = std::pair<core::Uuid, core::Uuid>;  // account, client

struct Scene {
  std::vector<Record> accounts;
  std::vector<Record> clients;
  std::set<Pair> linked;
  std::set<Pair> unlinked;
};

struct Outcome {
  std::set<Pair> matched;
  std::map<core::Uuid, std::string> reasons;  // of both sides; their ids differ
  int visits = 0;
  auto operator<=>(const Outcome &) const = default;
};

core::Uuid id_of(std::uint8_t side, std::size_t number) {
  core::Uuid id;
  id.bytes[0] = side;
  for (std::size_t i = 0; i < 4; ++i)
    id.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  return id;
}

Outcome in_one_pass(const Scene &scene, std::pmr::memory_resource *memory) {
  core::ClientMatch match{memory};
  for (const Pair &pair : scene.linked) match.add_linked(pair.first, pair.second);
  for (const Pair &pair : scene.unlinked) match.add_unlinked(pair.first, pair.second);
  for (const Record &account : scene.accounts) match.add_account(account.id, account.key);
  for (const Record &client : scene.clients) match.add_client(client.id, client.key);
  Outcome outcome;
  match.judge([&](const core::Uuid *account, const core::Uuid *client, core::MatchReason reason) {
    ++outcome.visits;
    if (reason == core::MatchReason::matched) {
      outcome.matched.emplace(*account, *client);
    } else {
      BOOST_REQUIRE((account == nullptr) != (client == nullptr));
      outcome.reasons.emplace(account == nullptr ? *client : *account, to_text(reason));
    }
  });
  return outcome;
}

std::vector<core::Uuid> bearers(const std::vector<Record> &records, const std::string &key) {
  std::vector<core::Uuid> found;
  for (const Record &record : records)
    if (record.key == key) found.push_back(record.id);
  return found;
}

Outcome spelled_out(const Scene &scene) {
  std::set<core::Uuid> taken;
  for (const Pair &pair : scene.linked) taken.insert({pair.first, pair.second});
  Outcome outcome;
  auto const judge = [&](const Record &record, const char *missing,
                         const std::vector<Record> &others) {
    if (taken.contains(record.id)) return;
    auto const accounts = bearers(scene.accounts, record.key);
    auto const clients = bearers(scene.clients, record.key);
    if (record.key.empty()) {
      outcome.reasons[record.id] = "no_name";
    } else if (bearers(others, record.key).empty()) {
      outcome.reasons[record.id] = missing;
    } else if (accounts.size() > 1 || clients.size() > 1) {
      outcome.reasons[record.id] = "ambiguous";
    } else if (scene.unlinked.contains({accounts[0], clients[0]})) {
      outcome.reasons[record.id] = "unlinked";
    } else if (taken.contains(accounts[0]) || taken.contains(clients[0])) {
      outcome.reasons[record.id] = "ambiguous";
    } else {
      outcome.matched.emplace(accounts[0], clients[0]);
    }
  };
  for (const Record &account : scene.accounts) judge(account, "account_not_mapped", scene.clients);
  for (const Record &client : scene.clients)
    judge(client, "no_account_of_that_name", scene.accounts);
  outcome.visits = static_cast<int>(outcome.matched.size() + outcome.reasons.size());
  return outcome;
}

std::size_t below(Random &random, std::size_t limit) {
  return static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(limit) - 1));
}

Scene scene_of(Random &random) {
  Scene scene;
  std::size_t const names = 1 + below(random, 60);
  auto const key = [&] {
    auto const name = below(random, names + 1);
    return name == 0 ? std::string{} : "company " + std::to_string(name);
  };
  std::size_t const accounts = below(random, 80);
  std::size_t const clients = below(random, 80);
  for (std::size_t i = 0; i < accounts; ++i) scene.accounts.push_back({id_of(1, i), key()});
  for (std::size_t i = 0; i < clients; ++i) scene.clients.push_back({id_of(2, i), key()});
  if (accounts > 0 && clients > 0) {
    // A record is linked once.
    for (std::size_t i = below(random, 20); i < std::min(accounts, clients); i += 3)
      scene.linked.emplace(id_of(1, i), id_of(2, (i * 7) % clients));
    for (int i = 0; i < 40; ++i)
      scene.unlinked.emplace(id_of(1, below(random, accounts)), id_of(2, below(random, clients)));
  }
  return scene;
}

// Hands out memory, and knows whether all of it came back.
class Counting : public std::pmr::memory_resource {
 public:
  std::size_t held() const { return held_; }

 private:
  void *do_allocate(std::size_t bytes, std::size_t alignment) override {
    held_ += bytes;
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void *memory, std::size_t bytes, std::size_t alignment) override {
    held_ -= bytes;
    std::pmr::new_delete_resource()->deallocate(memory, bytes, alignment);
  }
  bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override {
    return this == &other;
  }
  std::size_t held_ = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(client_match)

BOOST_AUTO_TEST_CASE(d6_one_pass_says_what_the_rules_say) {
  Random random{"client_match"};
  Counting memory;
  for (int i = 0; i < 500; ++i) {
    Scene const scene = scene_of(random);
    BOOST_TEST_REQUIRE((in_one_pass(scene, &memory) == spelled_out(scene)));
    BOOST_TEST_REQUIRE(memory.held() == 0U);
  }
}

// Tables grow several times, and names longer than a chunk of them are kept whole.
BOOST_AUTO_TEST_CASE(d6_many_and_long_names) {
  constexpr std::size_t many = 50'000;
  core::ClientMatch match{std::pmr::new_delete_resource()};
  auto const key = [](std::size_t i) {
    return i % 10'000 == 0 ? std::string(2'000'000, 'x') + std::to_string(i) : std::to_string(i);
  };
  for (std::size_t i = 0; i < many; ++i) match.add_account(id_of(1, i), key(i));
  for (std::size_t i = many / 2; i < many + 10; ++i) match.add_client(id_of(2, i), key(i));
  std::array<std::size_t, core::match_reasons.size()> counts{};
  match.judge([&](const core::Uuid *account, const core::Uuid *client, core::MatchReason reason) {
    ++counts[static_cast<std::size_t>(reason)];
    if (reason == core::MatchReason::matched)
      BOOST_REQUIRE(account->bytes[15] == client->bytes[15]);
  });
  std::array<std::size_t, core::match_reasons.size()> const wanted{many / 2, many / 2, 0, 10, 0, 0};
  BOOST_TEST(counts == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(ids_are_found_again) {
  core::IdSet set{std::pmr::new_delete_resource()};
  BOOST_TEST(!set.contains(core::Uuid{}));
  for (std::size_t i = 0; i < 5'000; i += 2) set.insert(id_of(1, i));
  for (std::size_t i = 0; i < 5'000; ++i) BOOST_TEST(set.contains(id_of(1, i)) == (i % 2 == 0));
  BOOST_TEST(!set.contains(core::Uuid{}));
  set.insert(core::Uuid{});
  BOOST_TEST(set.contains(core::Uuid{}));
}

BOOST_AUTO_TEST_SUITE_END()
