// SPDX-License-Identifier: PostgreSQL
// Random histories of two faces: edits on both sides in any order, merges in between (B1, B2, B9).
#include <boost/test/unit_test.hpp>

#include "faces.hpp"
#include "printing.hpp"

namespace core = crm_bridge::core;
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

constexpr int histories = 10'000;

const std::vector<Look> left_looks{Look::text, Look::text, Look::date, Look::number, Look::word};
const std::vector<Look> right_looks{Look::text, Look::html, Look::instant, Look::number_text,
                                    Look::word};

struct Twins {
  Random &random;
  Face left;
  Face right;
  Link link;
  Typists typists;
  // Who typed something since the last merge.
  std::vector<bool> left_typed;
  std::vector<bool> right_typed;

  Twins(Random &source, const std::vector<Look> &of_left, const std::vector<Look> &of_right)
      : random(source),
        left(face(of_left)),
        right(face(of_right)),
        link(left, right, rules()),
        typists(source, of_left.size()),
        left_typed(of_left.size()),
        right_typed(of_right.size()) {}

  std::size_t fields() const { return left.looks.size(); }

  Value canonical(Side side, std::size_t field) const {
    return side == Side::left ? link.canonical_left(left, field)
                              : link.canonical_right(right, field);
  }

  void type_something() {
    const Side side = random.chance(50) ? Side::left : Side::right;
    const auto field =
        static_cast<std::size_t>(random.between(0, static_cast<std::int64_t>(fields()) - 1));
    const Value standing = canonical(side, field);
    // Now and then both people have the same idea.
    const bool same_idea = random.chance(15);
    const Value idea = same_idea ? canonical(side == Side::left ? Side::right : Side::left, field)
                                 : typists.new_value(left.looks[field]);
    if (idea == standing) return;
    typists.type(side == Side::left ? left : right, field, standing, idea);
    (side == Side::left ? left_typed : right_typed)[field] = true;
  }

  Link::Result merge() {
    Link::Result result = link.merge(left, right);
    typists.recorded(result.conflicts);
    left_typed.assign(fields(), false);
    right_typed.assign(fields(), false);
    return result;
  }

 private:
  Face face(const std::vector<Look> &looks) {
    static const std::vector<Value> start{std::string("start"), core::Date{17'000},
                                          core::Number{"0.5"}, std::string("alpha")};
    Face made{looks, {}, {}, 0};
    made.changed.resize(looks.size());
    for (const Look look : looks) {
      const std::size_t kind = look == Look::word                                  ? 3
                               : look == Look::number || look == Look::number_text ? 2
                               : look == Look::date || look == Look::instant       ? 1
                                                                                   : 0;
      made.values.push_back(written(look, start[kind], random));
    }
    return made;
  }

  std::vector<Link::Rule> rules() {
    std::vector<Link::Rule> made(left.looks.size());
    for (auto &rule : made) {
      rule.policy = static_cast<Policy>(random.between(0, 2));
      rule.tie_winner = random.chance(50) ? Side::left : Side::right;
    }
    return made;
  }
};

// What B1 promises of a merge, judged by who typed what; returns how many fields clashed.
int check_merge(Twins &twins) {
  const Face left_before = twins.left;
  const Face right_before = twins.right;
  struct Expected {
    Value left;
    Value right;
    bool left_typed;
    bool right_typed;
  };
  std::vector<Expected> expected;
  for (std::size_t i = 0; i < twins.fields(); ++i) {
    expected.push_back(
        {twins.canonical(Side::left, i), twins.canonical(Side::right, i),
         twins.left_typed[i] && twins.link.differs_from_base(Side::left, left_before, i),
         twins.right_typed[i] && twins.link.differs_from_base(Side::right, right_before, i)});
  }
  const Link::Result result = twins.merge();

  for (std::size_t i = 0; i < twins.fields(); ++i) {
    const Expected &was = expected[i];
    const Value now = twins.canonical(Side::left, i);
    BOOST_TEST_INFO("field " << i << ", left " << core::describe(was.left) << ", right "
                             << core::describe(was.right) << ", outcome "
                             << to_text(result.outcomes[i]));
    const auto conflicts = std::count_if(result.conflicts.begin(), result.conflicts.end(),
                                         [&](const auto &conflict) { return conflict.field == i; });
    const bool wrote = twins.left.values[i] != left_before.values[i] ||
                       twins.right.values[i] != right_before.values[i];
    BOOST_REQUIRE_EQUAL(now, twins.canonical(Side::right, i));
    if (was.left_typed && was.right_typed && was.left != was.right) {
      BOOST_REQUIRE_EQUAL(conflicts, 1);
      BOOST_REQUIRE(now == was.left || now == was.right);
    } else {
      BOOST_REQUIRE_EQUAL(conflicts, 0);
      if (was.left == was.right) BOOST_REQUIRE(!wrote);
      if (was.left_typed && !was.right_typed) BOOST_REQUIRE_EQUAL(now, was.left);
      if (was.right_typed && !was.left_typed) BOOST_REQUIRE_EQUAL(now, was.right);
    }
  }

  const Link::Result echo = twins.merge();
  BOOST_REQUIRE_EQUAL(echo.written_left + echo.written_right, 0);
  BOOST_REQUIRE(echo.conflicts.empty());
  return static_cast<int>(result.conflicts.size());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(convergence)

BOOST_AUTO_TEST_CASE(b1_twins_agree_after_any_history_with_one_conflict_for_each_clash) {
  Random random("twins");
  int clashes = 0;
  for (int history = 0; history < histories; ++history) {
    BOOST_TEST_CONTEXT("history " << history) {
      Twins twins(random, left_looks, right_looks);
      for (auto steps = random.between(1, 14); steps > 0; --steps) {
        if (random.chance(25)) {
          clashes += check_merge(twins);
        } else {
          twins.type_something();
        }
      }
      clashes += check_merge(twins);
      for (std::size_t i = 0; i < twins.fields(); ++i) {
        const auto lost = twins.typists.lost(
            i, {twins.canonical(Side::left, i), twins.canonical(Side::right, i)});
        if (lost) BOOST_FAIL("lost " << core::describe(*lost) << " of field " << i);
      }
    }
  }
  BOOST_TEST(clashes > histories / 10);
}

// The mirror in the database against the record in the service, by way of the shadow: pulls write
// the mirror, pushes write the service if nobody wrote it since it was read.
BOOST_AUTO_TEST_CASE(b9_mirror_and_service_agree_and_echoes_cause_nothing) {
  Random random("mirror and service");
  int conflicts = 0;
  for (int history = 0; history < histories; ++history) {
    constexpr std::size_t fields = 3;
    const std::vector<Look> looks{Look::text, Look::number, Look::word};
    Twins twins(random, looks, looks);
    twins.right.values = twins.left.values;
    std::vector<Value> shadow = twins.left.values;
    std::vector<Value> &mirror = twins.left.values;
    std::vector<Value> &service = twins.right.values;
    std::vector<int> expected_conflicts(fields);
    std::vector<int> recorded_conflicts(fields);

    const auto pull = [&] {
      bool wrote = false;
      for (std::size_t i = 0; i < fields; ++i) {
        if (mirror[i] != shadow[i] && service[i] != shadow[i] && mirror[i] != service[i])
          ++expected_conflicts[i];
        core::FieldState state;
        state.conversion = &core::identity();
        state.policy = twins.link.rule(i).policy;
        state.base_left = state.base_right = &shadow[i];
        state.left = &mirror[i];
        state.right = &service[i];
        state.left_changed = twins.left.changed[i];
        state.right_changed = twins.right.changed[i];
        const core::FieldMerge merge = merge_field(state);
        if (is_conflict(merge.outcome)) {
          ++recorded_conflicts[i];
          twins.typists.recorded({{i, mirror[i], service[i]}});
        }
        if (merge.new_left) {
          mirror[i] = *merge.new_left;
          wrote = true;
        }
        shadow[i] = service[i];
      }
      return wrote;
    };
    const auto push = [&] {
      if (service != shadow)
        return false;  // the version that the service has is not the one that was read
      const bool dirty = mirror != shadow;
      service = mirror;
      shadow = mirror;
      return dirty;
    };

    for (auto steps = random.between(1, 16); steps > 0; --steps) {
      if (random.chance(60)) {
        twins.type_something();
      } else if (random.chance(50)) {
        pull();
        BOOST_REQUIRE(!pull());  // a duplicated webhook
      } else if (push()) {
        BOOST_REQUIRE(!pull());  // the echo of our own write
        BOOST_REQUIRE(!push());
      }
    }
    pull();
    push();
    BOOST_REQUIRE(!pull() && !push());
    BOOST_REQUIRE(mirror == service && mirror == shadow);
    BOOST_REQUIRE(recorded_conflicts == expected_conflicts);
    for (std::size_t i = 0; i < fields; ++i) {
      const auto lost = twins.typists.lost(i, {mirror[i]});
      if (lost)
        BOOST_FAIL("history " << history << " lost " << core::describe(*lost) << " of field " << i);
      conflicts += recorded_conflicts[i];
    }
  }
  BOOST_TEST(conflicts > histories / 10);
}

BOOST_AUTO_TEST_CASE(d1_manual_holds_both_values_until_someone_decides) {
  Random random("manual");
  for (int history = 0; history < 1'000; ++history) {
    Twins twins(random, left_looks, right_looks);
    std::vector<Link::Rule> rules(twins.fields());
    for (auto &rule : rules) rule.policy = Policy::manual;
    twins.link = Link(twins.left, twins.right, rules);
    constexpr std::size_t field = 1;
    twins.typists.type(twins.left, field, {}, std::string("from the left"));
    twins.typists.type(twins.right, field, {}, std::string("from the right"));
    for (int i = 0; i < 3; ++i) {
      const Link::Result result = twins.merge();
      BOOST_REQUIRE_EQUAL(result.outcomes[field], Outcome::held);
      BOOST_REQUIRE_EQUAL(result.written_left + result.written_right, 0);
    }
    // The decision is an edit: one side takes the other's value, or both take a third.
    const Side decided = random.chance(50) ? Side::left : Side::right;
    const Value chosen = twins.canonical(decided, field);
    twins.typists.type(decided == Side::left ? twins.right : twins.left, field, {}, chosen);
    BOOST_REQUIRE_EQUAL(twins.merge().outcomes[field], Outcome::agreed);
    BOOST_REQUIRE_EQUAL(twins.canonical(Side::left, field), chosen);
    BOOST_REQUIRE_EQUAL(twins.canonical(Side::right, field), chosen);
  }
}

BOOST_AUTO_TEST_SUITE_END()
