// SPDX-License-Identifier: PostgreSQL
#include "core/merge.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "conversion_cases.hpp"
#include "printing.hpp"

namespace core = crm_bridge::core;
namespace data = boost::unit_test::data;
using core::Direction;
using core::FieldMerge;
using core::Outcome;
using core::Policy;
using core::Side;
using core::Value;
using crm_bridge::test::conversion_cases;
using crm_bridge::test::Random;

namespace {

Value text(const char *value) { return std::string(value); }

struct Fields {
  Value base_left;
  Value base_right;
  Value left;
  Value right;
};

core::FieldState state_of(const Fields &fields,
                          const core::Conversion &conversion = core::identity()) {
  core::FieldState state;
  state.conversion = &conversion;
  state.base_left = &fields.base_left;
  state.base_right = &fields.base_right;
  state.left = &fields.left;
  state.right = &fields.right;
  return state;
}

// What both sides and both bases are after the caller has done what the merge says.
Fields applied(const Fields &before, const FieldMerge &merge) {
  Fields after = before;
  if (merge.new_left) after.left = *merge.new_left;
  if (merge.new_right) after.right = *merge.new_right;
  const bool base_stays = merge.outcome == Outcome::unchanged || merge.outcome == Outcome::held ||
                          merge.outcome == Outcome::unmappable;
  if (!base_stays) {
    after.base_left = after.left;
    after.base_right = after.right;
  }
  return after;
}

struct Decision {
  Policy policy;
  Direction direction;
  int left_second;   // -1: unknown
  int right_second;  // -1: unknown
  Side tie_winner;
  Outcome outcome;
  std::string reason;
};
std::ostream &operator<<(std::ostream &out, const Decision &each) {
  return out << to_text(each.policy) << " " << to_text(each.direction) << " " << each.left_second
             << " " << each.right_second;
}

constexpr auto both = Direction::both;
const std::vector<Decision> decisions{
    {Policy::left, both, 1, 2, Side::right, Outcome::left_wins, "policy"},
    {Policy::right, both, 2, 1, Side::left, Outcome::right_wins, "policy"},
    {Policy::manual, both, 1, 2, Side::right, Outcome::held, "policy"},
    {Policy::newest, both, 2, 1, Side::right, Outcome::left_wins, "newest"},
    {Policy::newest, both, 1, 2, Side::left, Outcome::right_wins, "newest"},
    {Policy::newest, both, 1, 1, Side::right, Outcome::right_wins, "tie"},
    {Policy::newest, both, 1, 1, Side::left, Outcome::left_wins, "tie"},
    {Policy::newest, both, -1, -1, Side::left, Outcome::left_wins, "tie"},
    {Policy::newest, both, -1, -1, Side::right, Outcome::right_wins, "tie"},
    {Policy::newest, both, 1, -1, Side::right, Outcome::left_wins, "newest"},
    {Policy::newest, both, -1, 1, Side::left, Outcome::right_wins, "newest"},
    {Policy::right, Direction::left_to_right, 1, 2, Side::right, Outcome::left_wins, "direction"},
    {Policy::left, Direction::right_to_left, 2, 1, Side::left, Outcome::right_wins, "direction"},
    {Policy::manual, Direction::left_to_right, 1, 2, Side::right, Outcome::left_wins, "direction"},
};

std::optional<core::Instant> at_second(int second) {
  if (second < 0) return std::nullopt;
  return core::Instant{second * 1'000'000LL};
}

Side other(Side side) { return side == Side::left ? Side::right : Side::left; }
Policy swapped(Policy policy) {
  if (policy == Policy::left) return Policy::right;
  return policy == Policy::right ? Policy::left : policy;
}
Direction swapped(Direction direction) {
  if (direction == Direction::left_to_right) return Direction::right_to_left;
  return direction == Direction::right_to_left ? Direction::left_to_right : direction;
}
Outcome swapped(Outcome outcome) {
  switch (outcome) {
    case Outcome::take_left:
      return Outcome::take_right;
    case Outcome::take_right:
      return Outcome::take_left;
    case Outcome::left_wins:
      return Outcome::right_wins;
    case Outcome::right_wins:
      return Outcome::left_wins;
    default:
      return outcome;
  }
}

// Lenses that must not be asked.
class Untouchable final : public core::Lens {
 public:
  Value get(const Value &) const override { throw std::logic_error("get"); }
  Value put(const Value &, const Value &) const override { throw std::logic_error("put"); }
};

Fields random_fields(Random &random, const crm_bridge::test::ConversionCase &sample) {
  Fields fields{sample.left(random), sample.right(random), {}, {}};
  fields.left = random.chance(50) ? fields.base_left : sample.left(random);
  fields.right = random.chance(50) ? fields.base_right : sample.right(random);
  return fields;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(merge)

BOOST_DATA_TEST_CASE(d1_newest_wins_and_ties_go_to_the_side_that_is_not_the_crm,
                     data::make(decisions)) {
  const Fields fields{text("base"), text("base"), text("left"), text("right")};
  core::FieldState state = state_of(fields);
  state.policy = sample.policy;
  state.direction = sample.direction;
  state.tie_winner = sample.tie_winner;
  state.left_changed = at_second(sample.left_second);
  state.right_changed = at_second(sample.right_second);
  const FieldMerge merge = merge_field(state);
  BOOST_TEST(merge.outcome == sample.outcome);
  BOOST_TEST(merge.reason == sample.reason);
  BOOST_TEST(is_conflict(merge.outcome));
  BOOST_TEST(merge.new_left.has_value() == (sample.outcome == Outcome::right_wins));
  BOOST_TEST(merge.new_right.has_value() == (sample.outcome == Outcome::left_wins));
}

BOOST_AUTO_TEST_CASE(t42_the_laws_of_a_three_way_merge_hold_for_any_values) {
  Random random("merge laws");
  for (int i = 0; i < 20'000; ++i) {
    const auto &sample = random.pick(conversion_cases());
    const Value base = sample.left(random);
    const Value changed = sample.left(random);
    BOOST_TEST_INFO("base " << core::describe(base) << ", changed " << core::describe(changed));
    for (const Policy policy : {Policy::left, Policy::right, Policy::newest, Policy::manual}) {
      const auto outcome_of = [&](const Value &left, const Value &right) {
        const Fields fields{base, base, left, right};
        core::FieldState state = state_of(fields);
        state.policy = policy;
        const FieldMerge merge = merge_field(state);
        const Fields after = applied(fields, merge);
        BOOST_REQUIRE(!is_conflict(merge.outcome));
        BOOST_REQUIRE_EQUAL(after.left, after.right);
        return after.left;
      };
      BOOST_REQUIRE_EQUAL(outcome_of(base, changed), changed);     // m(b, b, r) = r
      BOOST_REQUIRE_EQUAL(outcome_of(changed, base), changed);     // m(b, l, b) = l
      BOOST_REQUIRE_EQUAL(outcome_of(changed, changed), changed);  // m(b, l, l) = l
    }
  }
}

BOOST_DATA_TEST_CASE(t42_swapping_the_sides_changes_only_the_named_winner,
                     data::make(conversion_cases())) {
  Random random("swap " + sample.name);
  const core::Conversion mirrored{"mirrored", sample.conversion.right, sample.conversion.left};
  for (int i = 0; i < 5'000; ++i) {
    const Fields fields = random_fields(random, sample);
    core::FieldState state = state_of(fields, sample.conversion);
    state.policy = static_cast<Policy>(random.between(0, 3));
    state.direction = static_cast<Direction>(random.between(0, 2));
    state.tie_winner = random.chance(50) ? Side::left : Side::right;
    state.left_changed = at_second(static_cast<int>(random.between(-1, 2)));
    state.right_changed = at_second(static_cast<int>(random.between(-1, 2)));
    const FieldMerge merge = merge_field(state);

    const Fields turned{fields.base_right, fields.base_left, fields.right, fields.left};
    core::FieldState turned_state = state_of(turned, mirrored);
    turned_state.policy = swapped(state.policy);
    turned_state.direction = swapped(state.direction);
    turned_state.tie_winner = other(state.tie_winner);
    turned_state.left_changed = state.right_changed;
    turned_state.right_changed = state.left_changed;
    const FieldMerge turned_merge = merge_field(turned_state);

    BOOST_REQUIRE_EQUAL(turned_merge.outcome, swapped(merge.outcome));
    BOOST_REQUIRE(turned_merge.new_right == merge.new_left &&
                  turned_merge.new_left == merge.new_right);
    BOOST_REQUIRE_EQUAL(turned_merge.reason, merge.reason);
  }
}

BOOST_DATA_TEST_CASE(t42_merging_again_changes_nothing, data::make(conversion_cases())) {
  Random random("again " + sample.name);
  int changed = 0;
  for (int i = 0; i < 5'000; ++i) {
    Fields fields = random_fields(random, sample);
    core::FieldState state = state_of(fields, sample.conversion);
    state.policy = static_cast<Policy>(random.between(0, 3));
    state.direction = static_cast<Direction>(random.between(0, 2));
    const FieldMerge first = merge_field(state);
    fields = applied(fields, first);
    changed += first.new_left || first.new_right ? 1 : 0;

    const FieldMerge second = merge_field(state);
    const bool rests = second.outcome == Outcome::unchanged || second.outcome == first.outcome;
    BOOST_REQUIRE_MESSAGE(rests, to_text(first.outcome)
                                     << " is followed by " << to_text(second.outcome));
    BOOST_REQUIRE(!second.new_left && !second.new_right);
    const bool moved = first.outcome != Outcome::unchanged && first.outcome != Outcome::held &&
                       first.outcome != Outcome::unmappable;
    if (moved) BOOST_REQUIRE_EQUAL(second.outcome, Outcome::unchanged);
  }
  BOOST_TEST(changed > 500);
}

BOOST_AUTO_TEST_CASE(unchanged_values_ask_no_lens) {
  const auto lens = std::make_shared<Untouchable>();
  const core::Conversion conversion{"untouchable", lens, lens};
  const Fields fields{text("a"), core::Number{"1"}, text("a"), core::Number{"1"}};
  BOOST_TEST(merge_field(state_of(fields, conversion)).outcome == Outcome::unchanged);
}

BOOST_AUTO_TEST_CASE(d7_a_change_that_may_not_travel_stays_where_it_is) {
  const Fields fields{text("a"), text("a"), text("a"), text("b")};
  core::FieldState state = state_of(fields);
  state.direction = Direction::left_to_right;
  const FieldMerge merge = merge_field(state);
  BOOST_TEST(merge.outcome == Outcome::unchanged);
  BOOST_TEST(merge.reason == "direction");
  BOOST_TEST((!merge.new_left && !merge.new_right));
}

BOOST_AUTO_TEST_CASE(b1_changes_that_mean_the_same_move_only_the_base) {
  const auto &html = *std::find_if(conversion_cases().begin(), conversion_cases().end(),
                                   [](const auto &each) { return each.name == "text text html"; });
  const Fields fields{text("a"), text("<p>a</p>"), text("b c"), text("<div>b <b>c</b></div>")};
  for (const Direction direction :
       {Direction::both, Direction::left_to_right, Direction::right_to_left}) {
    core::FieldState state = state_of(fields, html.conversion);
    state.policy = Policy::manual;
    state.direction = direction;
    const FieldMerge merge = merge_field(state);
    BOOST_TEST(merge.outcome == Outcome::agreed);
    BOOST_TEST((!merge.new_left && !merge.new_right));
  }
}

BOOST_AUTO_TEST_CASE(a_change_that_the_other_side_shows_already_writes_nothing) {
  const auto &html = *std::find_if(conversion_cases().begin(), conversion_cases().end(),
                                   [](const auto &each) { return each.name == "text text html"; });
  const Fields fields{text("a"), text("<p>a</p>"), text("a"), text("<p><b>a</b></p>")};
  const FieldMerge merge = merge_field(state_of(fields, html.conversion));
  BOOST_TEST(merge.outcome == Outcome::take_right);
  BOOST_TEST(!merge.new_left.has_value());
}

BOOST_AUTO_TEST_CASE(b2_what_cannot_be_expressed_stays_on_both_sides_with_its_reason) {
  const auto &map =
      *std::find_if(conversion_cases().begin(), conversion_cases().end(),
                    [](const auto &each) { return each.name == "picklist both mapped"; });
  // The only change is unmappable.
  Fields fields{text("Open"), text("todo"), text("Open"), text("a new word")};
  FieldMerge merge = merge_field(state_of(fields, map.conversion));
  BOOST_TEST(merge.outcome == Outcome::unmappable);
  BOOST_TEST(merge.reason == "value_not_in_picklist");
  BOOST_TEST(!merge.detail.empty());
  BOOST_TEST((!merge.new_left && !merge.new_right));

  // It loses against a mappable one, and it wins nothing over one.
  fields.left = text("Done");
  core::FieldState state = state_of(fields, map.conversion);
  state.policy = Policy::left;
  merge = merge_field(state);
  BOOST_TEST(merge.outcome == Outcome::left_wins);
  BOOST_TEST(merge.new_right == std::optional<Value>(text("finished")));
  state.policy = Policy::right;
  merge = merge_field(state);
  BOOST_TEST(merge.outcome == Outcome::unmappable);
  BOOST_TEST((!merge.new_left && !merge.new_right));
}

BOOST_AUTO_TEST_CASE(policies_directions_and_outcomes_are_named_as_the_catalog_names_them) {
  for (const char *name : {"left", "right", "newest", "manual"}) {
    BOOST_TEST(to_text(*core::parse_policy(name)) == name);
  }
  for (const char *name : {"both", "left_to_right", "right_to_left"}) {
    BOOST_TEST(to_text(*core::parse_direction(name)) == name);
  }
  BOOST_TEST(!core::parse_policy("Newest").has_value());
  BOOST_TEST(!core::parse_direction("").has_value());
  BOOST_TEST(to_text(Outcome::unmappable) == "unmappable");
  BOOST_TEST(core::identity().left->put(text("x"), text("y")) == text("x"));
}

BOOST_AUTO_TEST_SUITE_END()
