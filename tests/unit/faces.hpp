// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/merge.hpp"
#include "random.hpp"

namespace crm_bridge::test {

// How one side of a field writes down a canonical value; the same canonical value may look
// different each time.
enum class Look : std::uint8_t { text, html, date, instant, number, number_text, word };

core::Field field_of(Look look);
core::Value written(Look look, const core::Value &canonical, Random &random);

// One record: its fields, and when each was last seen different.
struct Face {
  std::vector<Look> looks;
  std::vector<core::Value> values;
  std::vector<core::Instant> changed;
  std::int64_t version = 0;
};

struct Conflict {
  std::size_t field;
  core::Value left;   // canonical
  core::Value right;  // canonical
};

// What callers of merge_field keep for two faces of one thing: rules, bases, and the journal of
// conflicts.
class Link {
 public:
  struct Rule {
    core::Direction direction = core::Direction::both;
    core::Policy policy = core::Policy::newest;
    core::Side tie_winner = core::Side::right;
  };
  struct Result {
    std::vector<core::Outcome> outcomes;
    std::vector<Conflict> conflicts;
    int written_left = 0;
    int written_right = 0;
  };

  Link(const Face &left, const Face &right, std::vector<Rule> rules);

  Result merge(Face &left, Face &right);

  core::Value canonical_left(const Face &left, std::size_t field) const {
    return conversions_[field].left->get(left.values[field]);
  }
  core::Value canonical_right(const Face &right, std::size_t field) const {
    return conversions_[field].right->get(right.values[field]);
  }
  const Rule &rule(std::size_t field) const { return rules_[field]; }
  bool differs_from_base(core::Side side, const Face &face, std::size_t field) const {
    return face.values[field] != (side == core::Side::left ? base_left_ : base_right_)[field];
  }

 private:
  std::vector<core::Conversion> conversions_;
  std::vector<Rule> rules_;
  std::vector<core::Value> base_left_;
  std::vector<core::Value> base_right_;
};

// People who type: canonical values that nobody typed before, times that sometimes stand still, and
// the memory of everything typed, so that a test can ask what became of it (B2).
class Typists {
 public:
  Typists(Random &random, std::size_t fields)
      : random_(random), entered_(fields), excused_(fields) {}

  core::Value new_value(Look look);
  void type(Face &face, std::size_t field, const core::Value &standing,
            const core::Value &canonical);
  void recorded(const std::vector<Conflict> &conflicts);
  // A value that was typed and is neither among `current` nor in a conflict nor overwritten where
  // it stood.
  std::optional<core::Value> lost(std::size_t field, const std::vector<core::Value> &current) const;

 private:
  Random &random_;
  std::int64_t clock_ = 1'700'000'000'000'000;
  int counter_ = 0;
  std::vector<std::set<core::Value>> entered_;
  std::vector<std::set<core::Value>> excused_;  // overwritten by hand, or kept in a conflict
};

}  // namespace crm_bridge::test
