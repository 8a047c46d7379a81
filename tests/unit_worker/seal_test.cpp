// SPDX-License-Identifier: PostgreSQL
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>

#include "seal/credential.hpp"

using namespace crm_bridge::worker;

namespace {

struct Folder {
  Folder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "crm_bridge_seal_XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder");
    path = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

Key key_of(std::uint8_t byte) {
  std::array<std::uint8_t, 32> seed{};
  seed.fill(byte);
  return Key::from_seed(seed);
}

const Json secret = {{"client_id", "1000.C"}, {"client_secret", "s"}, {"refresh_token", "1000.R"}};

}  // namespace

BOOST_AUTO_TEST_SUITE(seal)

BOOST_AUTO_TEST_CASE(a_key_file_is_the_owners_alone_and_never_replaced) {
  const Folder folder;
  const auto file = folder.path / "secret.key";
  const Key made = Key::generate(file);
  struct stat status {};
  BOOST_REQUIRE(::stat(file.c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 0777) == 0400);
  BOOST_TEST(Key::load(file).public_key() == made.public_key());
  BOOST_TEST(Key::load(file).id() == made.id());
  BOOST_CHECK_THROW(Key::generate(file), KeyError);
  BOOST_REQUIRE(::chmod(file.c_str(), 0440) == 0);
  BOOST_CHECK_THROW(Key::load(file), KeyError);
  BOOST_CHECK_THROW(Key::load(folder.path / "none"), KeyError);
}

BOOST_AUTO_TEST_CASE(a_sealed_secret_opens_only_where_it_belongs) {
  const SealedFor owner{"zoho_crm", 1, "oauth"};
  const std::string sealed = seal_secret(key_of(1), owner, secret);
  BOOST_TEST(open_secret(key_of(1), owner, sealed) == secret);
  BOOST_TEST(sealed.find("1000.R") == std::string::npos);
  BOOST_TEST(seal_secret(key_of(1), owner, secret) != sealed);  // not even equality shows
  BOOST_CHECK_THROW(open_secret(key_of(2), owner, sealed), KeyError);
  BOOST_CHECK_THROW(open_secret(key_of(1), {"zoho_crm", 2, "oauth"}, sealed), KeyError);
  BOOST_CHECK_THROW(open_secret(key_of(1), {"zoho_projects", 1, "oauth"}, sealed), KeyError);
  BOOST_CHECK_THROW(open_secret(key_of(1), {"zoho_crm", 1, "other"}, sealed), KeyError);
  for (std::size_t i = 0; i < sealed.size(); i += 7) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    BOOST_CHECK_THROW(open_secret(key_of(1), owner, changed), KeyError);
  }
  BOOST_CHECK_THROW(open_secret(key_of(1), owner, ""), KeyError);
}

BOOST_AUTO_TEST_CASE(a_credential_must_be_complete_and_errors_hide_values) {
  BOOST_TEST(parse_credential(secret).refresh_token == "1000.R");
  Json lacking = secret;
  lacking.erase("refresh_token");
  BOOST_CHECK_EXCEPTION(parse_credential(lacking), KeyError, [](const KeyError &fault) {
    const std::string text = fault.what();
    return text.find("refresh_token") != std::string::npos &&
           text.find("1000.C") == std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(derived_secrets_depend_on_key_and_purpose) {
  BOOST_TEST(key_of(1).derive("a", 40) == key_of(1).derive("a", 40));
  BOOST_TEST(key_of(1).derive("a", 40) != key_of(1).derive("b", 40));
  BOOST_TEST(key_of(1).derive("a", 40) != key_of(2).derive("a", 40));
  BOOST_TEST(key_of(1).derive("a", 40).size() == 40);
}

BOOST_AUTO_TEST_CASE(comparison) {
  BOOST_TEST(equal_in_constant_time("abc", "abc"));
  BOOST_TEST(!equal_in_constant_time("abc", "abd"));
  BOOST_TEST(!equal_in_constant_time("abc", "ab"));
  BOOST_TEST(!equal_in_constant_time("", "a"));
  BOOST_TEST(equal_in_constant_time("", ""));
}

BOOST_AUTO_TEST_SUITE_END()
