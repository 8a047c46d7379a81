// SPDX-License-Identifier: PostgreSQL
#include "seal/key.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace crm_bridge::worker {
namespace {

static_assert(crypto_box_SECRETKEYBYTES == 32 && crypto_box_PUBLICKEYBYTES == 32);

void initialize_library() {
  if (sodium_init() < 0) throw KeyError("could not initialize libsodium");
}

std::string base64(const std::uint8_t *bytes, std::size_t size) {
  std::string text(sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes, size, sodium_base64_VARIANT_ORIGINAL);
  text.resize(std::strlen(text.c_str()));
  return text;
}

std::string hexadecimal(const std::uint8_t *bytes, std::size_t size) {
  std::string text(size * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes, size);
  text.pop_back();
  return text;
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor &) = delete;
  Descriptor &operator=(const Descriptor &) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

}  // namespace

Key Key::from_seed(const std::array<std::uint8_t, 32> &seed) {
  initialize_library();
  Key key;
  key.secret_ = seed;
  crypto_scalarmult_base(key.public_.data(), key.secret_.data());
  return key;
}

Key Key::generate(const std::filesystem::path &file) {
  initialize_library();
  Key key;
  crypto_box_keypair(key.public_.data(), key.secret_.data());
  const Descriptor output(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400));
  if (output.number() < 0) {
    throw KeyError("could not create the key file \"" + file.string() +
                   "\": " + std::strerror(errno));
  }
  std::string text = base64(key.secret_.data(), key.secret_.size()) + "\n";
  const bool written =
      ::write(output.number(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      ::fsync(output.number()) == 0;
  sodium_memzero(text.data(), text.size());
  if (!written)
    throw KeyError("could not write the key file \"" + file.string() +
                   "\": " + std::strerror(errno));
  return key;
}

Key Key::load(const std::filesystem::path &file) {
  initialize_library();
  const Descriptor input(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (input.number() < 0) {
    throw KeyError("could not open the key file \"" + file.string() +
                   "\": " + std::strerror(errno));
  }
  struct stat status {};
  if (::fstat(input.number(), &status) != 0 || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    throw KeyError("the key file \"" + file.string() +
                   "\" is open to others than its owner (chmod 0400)");
  }
  std::array<char, 128> text{};
  const ssize_t size = ::read(input.number(), text.data(), text.size());
  std::array<std::uint8_t, 32> secret{};
  std::size_t length = 0;
  const bool good =
      size > 0 &&
      sodium_base642bin(secret.data(), secret.size(), text.data(), static_cast<std::size_t>(size),
                        "\r\n ", &length, nullptr, sodium_base64_VARIANT_ORIGINAL) == 0 &&
      length == secret.size();
  sodium_memzero(text.data(), text.size());
  if (!good)
    throw KeyError("the key file \"" + file.string() +
                   "\" does not hold a key (make one with keygen)");
  Key key = from_seed(secret);
  sodium_memzero(secret.data(), secret.size());
  return key;
}

Key::~Key() { sodium_memzero(secret_.data(), secret_.size()); }

std::string Key::public_key() const { return base64(public_.data(), public_.size()); }

std::string Key::id() const {
  std::array<std::uint8_t, 16> digest{};
  crypto_generichash(digest.data(), digest.size(), public_.data(), public_.size(), nullptr, 0);
  return hexadecimal(digest.data(), 8);
}

std::string Key::seal(std::string_view clear) const {
  std::string sealed(clear.size() + crypto_box_SEALBYTES, '\0');
  if (crypto_box_seal(reinterpret_cast<std::uint8_t *>(sealed.data()),
                      reinterpret_cast<const std::uint8_t *>(clear.data()), clear.size(),
                      public_.data()) != 0) {
    throw KeyError("could not seal the secret");
  }
  return sealed;
}

std::string Key::open(std::string_view sealed) const {
  if (sealed.size() < crypto_box_SEALBYTES)
    throw KeyError("the sealed secret is too short to be one");
  std::string clear(sealed.size() - crypto_box_SEALBYTES, '\0');
  if (crypto_box_seal_open(reinterpret_cast<std::uint8_t *>(clear.data()),
                           reinterpret_cast<const std::uint8_t *>(sealed.data()), sealed.size(),
                           public_.data(), secret_.data()) != 0) {
    throw KeyError("the sealed secret does not open with this key");
  }
  return clear;
}

std::string Key::derive(std::string_view purpose, std::size_t length) const {
  std::array<std::uint8_t, 32> digest{};
  const std::string label = "crm_bridge derived secret: " + std::string(purpose);
  crypto_generichash(digest.data(), digest.size(),
                     reinterpret_cast<const std::uint8_t *>(label.data()), label.size(),
                     secret_.data(), secret_.size());
  return hexadecimal(digest.data(), digest.size()).substr(0, length);
}

bool equal_in_constant_time(std::string_view left, std::string_view right) {
  // Digests have one length, so that not even the length decides how long it takes.
  std::array<std::uint8_t, 32> one{};
  std::array<std::uint8_t, 32> other{};
  crypto_generichash(one.data(), one.size(), reinterpret_cast<const std::uint8_t *>(left.data()),
                     left.size(), nullptr, 0);
  crypto_generichash(other.data(), other.size(),
                     reinterpret_cast<const std::uint8_t *>(right.data()), right.size(), nullptr,
                     0);
  return sodium_memcmp(one.data(), other.data(), one.size()) == 0;
}

std::string fingerprint(std::string_view secret) {
  std::array<std::uint8_t, 32> digest{};
  crypto_generichash(digest.data(), digest.size(),
                     reinterpret_cast<const std::uint8_t *>(secret.data()), secret.size(), nullptr,
                     0);
  return hexadecimal(digest.data(), digest.size());
}

std::string random_uuid() {
  initialize_library();
  std::array<std::uint8_t, 16> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
  std::string text = hexadecimal(bytes.data(), bytes.size());
  for (const std::size_t place : {8U, 13U, 18U, 23U}) text.insert(place, 1, '-');
  return text;
}

std::uint64_t random_bits() {
  initialize_library();
  std::uint64_t bits = 0;
  randombytes_buf(&bits, sizeof bits);
  return bits;
}

}  // namespace crm_bridge::worker
