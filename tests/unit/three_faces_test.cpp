// SPDX-License-Identifier: PostgreSQL
// One thing with three faces: account ↔ client ↔ company, two pairings in their order.
#include <array>
#include <boost/test/unit_test.hpp>
#include <tuple>

#include "faces.hpp"
#include "printing.hpp"

namespace core = crm_bridge::core;
using core::Direction;
using core::Outcome;
using core::Policy;
using core::Side;
using core::Value;
using crm_bridge::test::Face;
using crm_bridge::test::Link;
using crm_bridge::test::Look;
using crm_bridge::test::Random;
using crm_bridge::test::Typists;
using crm_bridge::test::written;

namespace {

constexpr std::size_t field_count = 5;
constexpr int transactions = 10'000;

Face face_of(const std::vector<Look> &looks, Random &random) {
  static const std::vector<Value> start{std::string("start"), std::string("start"),
                                        core::Date{17'000}, core::Number{"0.5"},
                                        std::string("alpha")};
  Face face{looks, {}, std::vector<core::Instant>(looks.size()), 0};
  for (std::size_t i = 0; i < looks.size(); ++i)
    face.values.push_back(written(looks[i], start[i], random));
  return face;
}

std::vector<Link::Rule> random_rules(Random &random) {
  std::vector<Link::Rule> rules(field_count);
  for (auto &rule : rules) {
    rule.policy = static_cast<Policy>(random.between(0, 3));
    rule.tie_winner = random.chance(50) ? Side::left : Side::right;
    if (random.chance(20))
      rule.direction = random.chance(50) ? Direction::left_to_right : Direction::right_to_left;
  }
  return rules;
}

// The propagation of one transaction.  A pairing is visited at a state of its two faces once: after
// its first visit it is asked again only if the other pairing has written a face of it since.
class Chain {
 public:
  explicit Chain(Random &random)
      : faces{face_of({Look::text, Look::text, Look::date, Look::number, Look::word}, random),
              face_of({Look::text, Look::html, Look::instant, Look::number_text, Look::word},
                      random),
              face_of({Look::text, Look::text, Look::date, Look::number, Look::word}, random)},
        links{Link(faces[0], faces[1], random_rules(random)),
              Link(faces[1], faces[2], random_rules(random))},
        typists(random, field_count) {}

  struct Effort {
    int visits = 0;
    int writes = 0;
  };
  Effort propagate() {
    Effort effort;
    std::set<std::tuple<std::size_t, std::int64_t, std::int64_t>> visited;
    for (bool anything = true; anything;) {
      anything = false;
      for (std::size_t i = 0; i < links.size(); ++i) {
        Face &left = faces[i];
        Face &right = faces[i + 1];
        if (!visited.insert({i, left.version, right.version}).second) continue;
        const Link::Result result = links[i].merge(left, right);
        visited.insert({i, left.version, right.version});
        typists.recorded(result.conflicts);
        outcomes[i] = result.outcomes;
        effort.writes += result.written_left + result.written_right;
        ++effort.visits;
        anything = true;
      }
    }
    return effort;
  }

  Value canonical(std::size_t face, std::size_t field) const {
    if (face == 0) return links[0].canonical_left(faces[0], field);
    return links[face - 1].canonical_right(faces[face], field);
  }

  std::vector<Face> faces;
  std::vector<Link> links;
  Typists typists;
  std::array<std::vector<Outcome>, 2> outcomes;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(three_faces)

BOOST_AUTO_TEST_CASE(b1_three_faces_agree_after_every_transaction_and_echoes_send_nothing) {
  Random random("three faces");
  int travelled_twice = 0;
  for (int done = 0; done < transactions;) {
    Chain chain(random);
    for (auto left = random.between(1, 10); left > 0; --left, ++done) {
      for (auto edits = random.between(1, 5); edits > 0; --edits) {
        const auto face = static_cast<std::size_t>(random.between(0, 2));
        const auto field = static_cast<std::size_t>(random.between(0, field_count - 1));
        const Value standing = chain.canonical(face, field);
        const Value idea = chain.typists.new_value(chain.faces[0].looks[field]);
        if (idea != standing) chain.typists.type(chain.faces[face], field, standing, idea);
      }

      const Chain::Effort effort = chain.propagate();
      // There, on, and back where the last one won; a held field that is freed by that goes once
      // more.
      BOOST_REQUIRE(effort.visits <= 6);
      travelled_twice += effort.visits > 2 ? 1 : 0;
      for (std::size_t link = 0; link < 2; ++link) {
        for (std::size_t field = 0; field < field_count; ++field) {
          if (chain.links[link].rule(field).direction != Direction::both) continue;
          if (chain.outcomes[link][field] == Outcome::held) continue;
          BOOST_TEST_INFO("transaction " << done << ", pairing " << link << ", field " << field
                                         << ", outcome " << to_text(chain.outcomes[link][field]));
          BOOST_REQUIRE_EQUAL(chain.canonical(link, field), chain.canonical(link + 1, field));
        }
      }
      BOOST_REQUIRE_EQUAL(chain.propagate().writes, 0);
    }
    for (std::size_t field = 0; field < field_count; ++field) {
      const auto lost = chain.typists.lost(
          field, {chain.canonical(0, field), chain.canonical(1, field), chain.canonical(2, field)});
      if (lost) BOOST_FAIL("lost " << core::describe(*lost) << " of field " << field);
    }
  }
  BOOST_TEST(travelled_twice > transactions / 100);
}

BOOST_AUTO_TEST_SUITE_END()
