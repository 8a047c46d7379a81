// SPDX-License-Identifier: PostgreSQL
#include "core/uuid.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <unordered_set>

#include "printing.hpp"
#include "random.hpp"

namespace core = crm_bridge::core;
namespace data = boost::unit_test::data;
using crm_bridge::test::Random;

namespace {

core::UuidGenerator::RandomSource source_of(Random &random) {
  return [&random](std::uint8_t *bytes, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(random.bits());
  };
}

std::int64_t millisecond_of(const core::Uuid &uuid) {
  std::int64_t value = 0;
  for (std::size_t i = 0; i < 6; ++i) value = value << 8 | uuid.bytes[i];
  return value;
}

const std::vector<std::string> not_uuids{
    "",
    "01890a5d-ac96-774b-bcce-b302099a805",
    "01890a5d-ac96-774b-bcce-b302099a80577",
    "01890a5dac96774bbcceb302099a8057",
    "{1890a5d-ac96-774b-bcce-b302099a805}",
    "01890a5d_ac96-774b-bcce-b302099a8057",
    "01890a5g-ac96-774b-bcce-b302099a8057",
    "01890a5d-ac96-774b-bcce-b302099a80 7",
};

}  // namespace

BOOST_AUTO_TEST_SUITE(uuid)

BOOST_AUTO_TEST_CASE(a_uuid_survives_its_text_in_either_case) {
  Random random("uuid text");
  for (int i = 0; i < 10'000; ++i) {
    const core::Uuid id = random.uuid();
    std::string text = to_text(id);
    BOOST_REQUIRE(core::parse_uuid(text) == id);
    for (char &c : text) c = static_cast<char>(std::toupper(c));
    BOOST_REQUIRE(core::parse_uuid(text) == id);
  }
}

BOOST_DATA_TEST_CASE(what_postgresql_does_not_print_is_not_a_uuid, data::make(not_uuids)) {
  BOOST_TEST((core::parse_uuid(sample) == std::nullopt));
}

BOOST_AUTO_TEST_CASE(generated_ids_carry_version_variant_and_time) {
  Random random("uuid bits");
  core::UuidGenerator generator(source_of(random));
  const core::Uuid id = generator.next(0x0123456789AB);
  BOOST_TEST(to_text(id).substr(0, 15) == "01234567-89ab-7");
  BOOST_TEST((id.bytes[8] & 0xC0) == 0x80);
}

BOOST_AUTO_TEST_CASE(ids_of_one_generator_ascend_whatever_the_clock_does) {
  Random random("uuid order");
  core::UuidGenerator generator(source_of(random));
  std::int64_t clock = 1'700'000'000'000;
  core::Uuid previous = generator.next(clock);
  std::unordered_set<core::Uuid> seen{previous};
  for (int i = 0; i < 50'000; ++i) {
    if (random.chance(1)) clock += random.between(-50, 60);
    const core::Uuid id = generator.next(clock);
    BOOST_REQUIRE(previous < id);
    BOOST_REQUIRE(seen.insert(id).second);
    previous = id;
  }
}

BOOST_AUTO_TEST_CASE(a_full_counter_borrows_the_next_millisecond) {
  Random random("uuid overflow");
  core::UuidGenerator generator(source_of(random));
  core::Uuid id;
  for (int i = 0; i < 4096; ++i) id = generator.next(1000);
  BOOST_TEST(millisecond_of(id) == 1000);
  BOOST_TEST(millisecond_of(generator.next(1000)) == 1001);
  BOOST_TEST(millisecond_of(generator.next(1000)) == 1001);
  BOOST_TEST(millisecond_of(generator.next(2000)) == 2000);
}

BOOST_AUTO_TEST_CASE(a_clock_before_1970_still_gives_ascending_ids) {
  Random random("uuid negative clock");
  core::UuidGenerator generator(source_of(random));
  const core::Uuid first = generator.next(-5);
  BOOST_TEST(millisecond_of(first) == 0);
  BOOST_TEST((first < generator.next(-5)));
}

BOOST_AUTO_TEST_CASE(random_bytes_are_drawn_in_blocks) {
  int draws = 0;
  core::UuidGenerator generator([&](std::uint8_t *bytes, std::size_t size) {
    ++draws;
    std::fill(bytes, bytes + size, std::uint8_t{0xAB});
  });
  for (int i = 0; i < 512; ++i) generator.next(i);
  BOOST_TEST(draws == 2);
}

BOOST_AUTO_TEST_CASE(a_failing_source_fails_the_call_and_leaves_the_generator_usable) {
  bool broken = true;
  core::UuidGenerator generator([&](std::uint8_t *bytes, std::size_t size) {
    if (broken) throw std::runtime_error("no randomness");
    std::fill(bytes, bytes + size, std::uint8_t{1});
  });
  BOOST_CHECK_THROW(generator.next(1), std::runtime_error);
  broken = false;
  BOOST_TEST(millisecond_of(generator.next(1)) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
