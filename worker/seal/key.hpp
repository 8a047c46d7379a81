// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

namespace crm_bridge::worker {

class KeyError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The worker's key pair.  The secret half is a file that only the worker can read; the database
// never sees it.
class Key {
 public:
  // Makes a new pair and writes the secret half to `file`, mode 0400; an existing file is never
  // replaced.
  static Key generate(const std::filesystem::path &file);
  // Refuses a file that others than its owner may read.
  static Key load(const std::filesystem::path &file);
  static Key from_seed(const std::array<std::uint8_t, 32> &seed);
  ~Key();
  Key(const Key &) = default;
  Key &operator=(const Key &) = default;

  std::string public_key() const;  // base64
  std::string id() const;          // short name of the public key, kept beside each sealed secret

  // Encrypts to the public key; only open() with the same key undoes it.
  std::string seal(std::string_view clear) const;
  std::string open(std::string_view sealed) const;  // throws KeyError

  // A secret that depends on the key and on `purpose` and on nothing else: every worker with this
  // key derives the same one, so that none has to remember it.  `length` hexadecimal characters, at
  // most 64.
  std::string derive(std::string_view purpose, std::size_t length) const;

 private:
  Key() = default;
  std::array<std::uint8_t, 32> secret_{};
  std::array<std::uint8_t, 32> public_{};
};

// Compares without telling by its time where two texts differ.
bool equal_in_constant_time(std::string_view left, std::string_view right);

// A hash by which a secret can be recognised and not found out, in hexadecimal.
std::string fingerprint(std::string_view secret);

// A random UUID (version 4), for a lease.
std::string random_uuid();

// 64 uniform random bits.
std::uint64_t random_bits();

}  // namespace crm_bridge::worker
